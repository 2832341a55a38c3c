import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isPlainLoopback, isPrivateUrl } from "./loopback-url.ts";

describe("a URL that secrets may be sent to", () => {
  for (const good of ["https://id.example.com/a", "http://127.0.0.1:80/", "http://localhost/x", "http://[::1]:1/"]) {
    it(`${good} is one`, () => assert.equal(isPrivateUrl(good), true));
  }
  for (const bad of [
    "http://id.example.com/",
    "http://localhost.example.com/",
    "http://127.0.0.1@example.com/",
    "http://0.0.0.0/",
    "ftp://localhost/",
    "id.example.com",
    "",
  ]) {
    it(`"${bad}" is none`, () => assert.equal(isPrivateUrl(bad), false));
  }

  it("on this machine needs no TLS only as plain http", () => {
    assert.equal(isPlainLoopback(new URL("http://localhost:1/")), true);
    assert.equal(isPlainLoopback(new URL("https://localhost:1/")), false);
  });
});
