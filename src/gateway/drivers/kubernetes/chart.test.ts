import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readServerSettings } from "../../server/server-file.ts";
import { readDatabaseSettings } from "../../store/database-file.ts";
import {
  CHART,
  chartDigest,
  type Manifest,
  type Rendering,
  renderChart,
  renderedChart,
  renderings,
} from "../../test-support/kubernetes/chart.ts";
import { breachesOfRestricted } from "../../test-support/kubernetes/pod-security.ts";
import { faultsOf } from "../../test-support/kubernetes/schema.ts";
import { readKubernetesFile } from "./kubernetes-file.ts";

const hasHelm = spawnSync("helm", ["version"]).status === 0;

describe("the chart", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "openshell-chart-"));
  });
  after(() => rmSync(directory, { recursive: true }));
  const configuration = (manifests: readonly Manifest[]) => {
    const files = manifests.find(({ kind }) => kind === "ConfigMap")?.data ?? {};
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return files;
  };
  const namespaceOf = (rendering: Rendering) => (rendering === "least" ? "openshell-sandboxes" : "agents");

  for (const rendering of renderings) {
    describe(`with ${rendering === "least" ? "as little as it needs" : "everything that it knows"}`, () => {
      const { text, manifests } = renderedChart(rendering);

      it("was rendered as it is now", () => {
        assert.ok(
          text.startsWith(`# chart ${chartDigest(rendering)}\n`),
          "run `sh scripts/node scripts/render-chart.ts`",
        );
      });

      it("is what helm makes of it", { skip: hasHelm ? false : "helm is not installed" }, () => {
        assert.equal(renderChart(rendering), text);
      });

      it("is what the API takes", () => {
        for (const manifest of manifests.filter(({ kind }) => kind !== "Certificate")) {
          assert.deepEqual(faultsOf(manifest), [], `${manifest.kind} ${manifest.metadata.name}`);
        }
      });

      it("runs a gateway that passes the restricted Pod Security Standard", () => {
        const pod = manifests.find(({ kind }) => kind === "StatefulSet")?.spec.template.spec;
        assert.equal(pod.containers.length, 1);
        assert.deepEqual(breachesOfRestricted(pod, pod.containers[0]), []);
      });

      it("gives it rights in the sandboxes' namespace, over what sandboxes are made of, and nowhere else", () => {
        const roles = manifests.filter(({ kind }) => /Role$/.test(kind));
        assert.deepEqual(
          roles.map(({ kind, metadata }) => [kind, metadata.namespace]),
          [["Role", namespaceOf(rendering)]],
        );
        const resources = roles.flatMap(({ rules = [] }) => rules.flatMap((rule) => rule.resources));
        const volumes = rendering === "most" ? ["persistentvolumeclaims"] : [];
        assert.deepEqual(resources.sort(), ["events", ...volumes, "pods", "secrets"]);
      });

      it("has a volume of its own, or, where the key of its database is given, nothing to keep", () => {
        const {
          volumeClaimTemplates = [],
          replicas,
          template,
        } = manifests.find(({ kind }) => kind === "StatefulSet")?.spec ?? {};
        const [container] = template.spec.containers;
        const variables = container.env.map(({ name }: { name: string }) => name);
        assert.equal(volumeClaimTemplates.length, rendering === "least" ? 1 : 0);
        assert.equal(replicas, rendering === "least" ? 1 : 2);
        // Only replicas need an address, and what answers a replica's port may be another one.
        assert.equal(variables.includes("OPENSHELL_REPLICA_ADDRESS"), rendering === "most");
        assert.equal(Object.keys(container.livenessProbe).includes("tcpSocket"), rendering === "most");
      });

      it("denies all that its network policies do not name", () => {
        const policies = manifests.filter(
          ({ kind, metadata }) => kind === "NetworkPolicy" && metadata.namespace === namespaceOf(rendering),
        );
        const closed = policies.find(({ spec }) => Object.keys(spec.podSelector).length === 0)?.spec;
        assert.deepEqual(closed, { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
      });

      it("configures the gateway with files that it can read", () => {
        const files = configuration(manifests);
        const settings = readKubernetesFile(directory);
        assert.equal(settings?.namespace, namespaceOf(rendering));
        assert.equal(settings?.gateway.host, "openshell.tools.svc");
        // Its certificate is a Secret's, which is not there; what is left is the file itself.
        if (rendering === "least") assert.equal(readServerSettings(directory).listen, "::");
        else assert.throws(() => readServerSettings(directory), /certificate: can't be used with this key: ENOENT/);
        if (rendering === "most")
          assert.throws(() => readDatabaseSettings(directory), /password_file: can't be read: ENOENT/);
        else assert.equal(files["database.yaml"], undefined);
      });
    });
  }

  it("has no second gateway without a database and its key", {
    skip: hasHelm ? false : "helm is not installed",
  }, () => {
    const { status, stderr } = spawnSync("helm", [
      ...["template", "o", CHART, "--kube-version", "1.34.0", "--set", "image=i,replicas=2"],
    ]);
    assert.notEqual(status, 0);
    assert.match(String(stderr), /more than one wants database\.url, and a Secret/);
  });
});
