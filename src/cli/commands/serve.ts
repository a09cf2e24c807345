import { announce } from "../announce.ts";
import { defineCommand } from "../command.ts";
import { serverConfigFrom, serverSettings } from "../server-config.ts";
import { untilStopped } from "../until-stopped.ts";

export const serve = defineCommand({
  description:
    "With --database-url any number of replicas share one PostgreSQL; without, one process keeps its state in the data directory.",
  examples: [
    "serve",
    "serve --listen 0.0.0.0:7420 --data-dir /var/lib/larder",
    "serve --database-url postgres://larder@db/larder --log-level info",
  ],
  settings: serverSettings,
  async run(context) {
    // Loaded here, so that the short commands do not pay for the server's start.
    const { startServer } = await import("../../server/index.ts");
    await using server = await startServer(serverConfigFrom(context));
    announce(context, "Larder serves", server.url);
    await untilStopped(context.terminal.signal);
    return { json: undefined };
  },
});
