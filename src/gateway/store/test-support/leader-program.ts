/** A gateway's hold on its database, as a process: creates a sandbox's record for each name that it reads, and says how that went. */
import { createInterface } from "node:readline";
import { Secret } from "../../../secrets/secret.ts";
import { createGatewayLog } from "../../gateway-log.ts";
import { openStore } from "../open-store.ts";
import { record, revision } from "../store-contract.ts";

const store = await openStore({
  stateDirectory: "/nonexistent",
  databaseUrl: new Secret(process.argv[2] ?? ""),
  log: createGatewayLog(() => {}, Date.now),
  onTaken: () => {
    console.log("taken");
    process.exit(1);
  },
});
console.log("leads");
for await (const name of createInterface(process.stdin)) {
  const said = await store.sandboxes.create(record(name, name), revision("h")).then(
    () => "stored",
    (error: Error) => `refused: ${error.message}`,
  );
  console.log(`${name} ${said}`);
}
