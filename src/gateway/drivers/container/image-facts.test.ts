import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { certificatesIn } from "../../../net/certificates-in.ts";
import { createCertificateAuthority } from "../../../net/x509/certificate-authority.ts";
import { userOf } from "./image-facts.ts";

const passwd = "root:x:0:0:root:/root:/bin/sh\nnode:x:1001:1002::/home/node:/bin/sh\nroots:x:7:0::/:/bin/sh\n";
const group = "root:x:0:\nstaff:x:50:\n";

describe("whom an image's programs run as", () => {
  it("is the image's user, by number or by the name in its own files", () => {
    assert.deepEqual(userOf("node", passwd, group), { uid: 1001, gid: 1002 });
    assert.deepEqual(userOf("1001", passwd, group), { uid: 1001, gid: 1002 });
    assert.deepEqual(userOf("node:staff", passwd, group), { uid: 1001, gid: 50 });
    assert.deepEqual(userOf("70:71", passwd, group), { uid: 70, gid: 71 });
  });

  it("is never root, nor of root's group", () => {
    for (const user of ["", "root", "0", "0:0", "root:staff"]) {
      assert.deepEqual(userOf(user, passwd, group), { uid: 1000, gid: 1000 }, user);
    }
    assert.deepEqual(userOf("roots", passwd, group), { uid: 7, gid: 7 });
    assert.deepEqual(userOf("1001:0", passwd, group), { uid: 1001, gid: 1001 });
  });

  it("is not guessed where the image does not know the name", () => {
    assert.throws(() => userOf("nobody-knows", passwd, group), /not in its \/etc\/passwd/);
  });
});

describe("the authorities in an image's trust store", () => {
  it("are its certificates, once each, without what is none", () => {
    const { pem } = createCertificateAuthority({ commonName: "Corporate" }, { now: new Date(), days: 1 });
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    assert.equal(certificatesIn(`# ours\n${pem}\n${broken}\n${pem}`).trim(), pem.trim());
    assert.equal(certificatesIn("nothing"), "");
  });
});
