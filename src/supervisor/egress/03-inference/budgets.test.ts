import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Admission, Budgets, type OverBudget } from "./budgets.ts";

function at(start: number) {
  let now = start;
  const budgets = new Budgets(() => now);
  const wait = (seconds: number): void => {
    now += seconds * 1000;
  };
  return { budgets, wait };
}

function admitted(answer: Admission | OverBudget): Admission {
  assert.ok("settle" in answer);
  return answer;
}

function refused(answer: Admission | OverBudget): OverBudget {
  assert.ok("limit" in answer);
  return answer;
}

describe("a budget", () => {
  it("of requests lets so many in within any sixty seconds", () => {
    const { budgets, wait } = at(1_000_000);
    const account = { name: "r", budget: { requestsPerMinute: 2 } };
    admitted(budgets.admit(account, 0));
    wait(30);
    admitted(budgets.admit(account, 0));
    wait(10);
    assert.deepEqual(refused(budgets.admit(account, 0)), { what: "requests", limit: 2, retryAfterSeconds: 20 });
    wait(20);
    admitted(budgets.admit(account, 0));
    assert.equal(refused(budgets.admit(account, 0)).retryAfterSeconds, 30);
  });

  it("of tokens counts an estimate until it is known what a call used", () => {
    const { budgets } = at(1_000_000);
    const account = { name: "r", budget: { tokensPerMinute: 100 } };
    const call = admitted(budgets.admit(account, 100));
    assert.equal(refused(budgets.admit(account, 1)).what, "tokens");
    call.settle(40);
    admitted(budgets.admit(account, 10)).settle(60);
    assert.equal(refused(budgets.admit(account, 1)).limit, 100);
  });

  it("is each account's own, and forgotten with its route", () => {
    const { budgets } = at(1_000_000);
    const budget = { requestsPerMinute: 1 };
    for (const name of ["", "a", "b"]) admitted(budgets.admit({ name, budget }, 0));
    budgets.keepOnly(new Set(["a"]));
    admitted(budgets.admit({ name: "b", budget }, 0));
    for (const name of ["", "a"]) refused(budgets.admit({ name, budget }, 0));
  });

  it("that is none lets everything in", () => {
    const { budgets } = at(0);
    for (let call = 0; call < 1000; call++) admitted(budgets.admit({ name: "r", budget: {} }, 1e6));
  });
});
