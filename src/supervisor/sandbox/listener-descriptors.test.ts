import assert from "node:assert/strict";
import { closeSync, fstatSync, openSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { filterBit, listenerAddresses } from "../../init/protocol.ts";
import { openSocketDiagnostics } from "../../linux/socket.ts";
import { closeListeners, sortListeners } from "./listener-descriptors.ts";

const all = (1 << listenerAddresses.length) - 1;
const withoutIpv6 = listenerAddresses.reduce((bits, { address }, index) => {
  return address === "::1" ? bits : bits | (1 << index);
}, 0);

describe("the descriptors that init hands over", () => {
  let diagnostics: number;
  before(() => {
    diagnostics = openSocketDiagnostics();
  });
  after(() => closeSync(diagnostics));

  it("are sorted by what they are for", () => {
    const { proxy, transparent, dnsUdp, dnsTcp } = sortListeners(all, [10, 11, 12, 13, 14, 15, 16, diagnostics]);
    assert.deepEqual(proxy, [{ fd: 10, family: 4 }]);
    assert.deepEqual(transparent, [
      { fd: 11, family: 4 },
      { fd: 12, family: 6 },
    ]);
    assert.deepEqual(
      [dnsUdp, dnsTcp].flat().map(({ fd }) => fd),
      [13, 14, 15, 16],
    );
  });

  it("may be without those for IPv6", () => {
    const { transparent, dnsUdp } = sortListeners(withoutIpv6, [10, 11, 12, 13, diagnostics]);
    assert.deepEqual(
      [...transparent, ...dnsUdp],
      [
        { fd: 11, family: 4 },
        { fd: 12, family: 4 },
      ],
    );
  });

  it("are refused when their number is not the one announced", () => {
    for (const fds of [[], [10, 11], [10, 11, 12, 13, 14, 15, 16, 17, diagnostics]]) {
      assert.throws(() => sortListeners(all, fds), /descriptors for 7 listeners/);
    }
  });

  it("are refused when one is missing that every kernel can open", () => {
    assert.throws(() => sortListeners(all & ~1, [11, 12, 13, 14, 15, 16, diagnostics]), /every listener/);
  });

  it("are refused when the filter's listener is announced and missing, or is something else", () => {
    const listeners = [10, 11, 12, 13, 14, 15, 16, diagnostics];
    assert.throws(() => sortListeners(all | filterBit, listeners), /descriptors for 7 listeners/);
    assert.throws(() => sortListeners(all | filterBit, [...listeners, diagnostics]), /something else for its filter/);
  });

  it("are all closed when nobody is to serve them", () => {
    const fds = Array.from({ length: 7 }, () => openSync("/dev/null", "r"));
    const ownDiagnostics = openSocketDiagnostics();
    closeListeners(sortListeners(all, [...fds, ownDiagnostics]));
    for (const fd of [...fds, ownDiagnostics]) assert.throws(() => fstatSync(fd), /EBADF/);
  });

  it("are refused when the last is no sock_diag socket", () => {
    const file = openSync("/dev/null", "r");
    assert.throws(() => sortListeners(all, [10, 11, 12, 13, 14, 15, 16, file]), /something else/);
    closeSync(file);
  });
});
