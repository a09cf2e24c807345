// A script as a platform's user would write it: it imports what the allowlist offers and exports a result.
import dayjs from "dayjs";
import { transform } from "esbuild";
import { nanoid } from "nanoid";
import { z } from "zod";

const Service = z.object({ name: z.string(), url: z.url(), since: z.iso.date() });
const service = Service.parse({ name: "billing", url: "https://billing.example/health", since: "2026-01-31" });

const { code } = await transform("const answer: number = 6 * 7; export { answer }", { loader: "ts", minify: true });

console.log(`checking ${service.name}, in service for ${dayjs("2026-11-22").diff(service.since, "day")} days`);

export default {
  check: nanoid(8).length === 8 ? "ok" : "failed",
  service: service.name,
  compiled: code.trim(),
};
