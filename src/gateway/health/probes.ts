/**
 * `/healthz`: the process answers. `/readyz`: it can serve; 503 with what is missing otherwise. Open to whoever reaches
 * the port, like gRPC's Health, so they tell nothing but that.
 */
import type { connectNodeAdapter } from "@connectrpc/connect-node";
import { HTTP_VERSION_HEADER } from "../../net/local-call.ts";
import type { Readiness } from "./readiness.ts";

/** What else a listener serves: by path, each giving its text. */
export type Pages = Readonly<Record<string, () => Promise<{ readonly contentType: string; readonly text: string }>>>;

/** Of both versions of HTTP. */
type Handler = ReturnType<typeof connectNodeAdapter>;

/** Answers GET and HEAD of the probes and of `pages`, and everything else with 404. */
export function answerProbes(readiness: Readiness, pages: Pages = {}): Handler {
  return (request, response) => {
    const answer = (status: number, contentType: string, text: string) => {
      response.statusCode = status;
      response.setHeader("content-type", contentType);
      response.setHeader("cache-control", "no-store");
      response.end(request.method === "HEAD" ? "" : text);
    };
    const [path = ""] = (request.url ?? "").split("?");
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (isRead && path === "/healthz") {
      response.setHeader(HTTP_VERSION_HEADER, request.httpVersion);
      answer(200, "text/plain", "ok\n");
    } else if (isRead && path === "/readyz") {
      readiness.report().then(
        (report) => answer(report.ready ? 200 : 503, "application/json", `${JSON.stringify(report)}\n`),
        () => answer(503, "text/plain", "not ready\n"),
      );
    } else if (isRead && page !== undefined) {
      page().then(
        ({ contentType, text }) => answer(200, contentType, text),
        () => answer(500, "text/plain", "failed; the gateway's log has more\n"),
      );
    } else {
      answer(404, "text/plain", "not found\n");
    }
  };
}
