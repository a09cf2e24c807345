// The part of this room that takes no time to load: without locks, sockets and files of Node's. See `contract/bare.ts`.

export { errnoOf, undefinedOn } from "./errno.ts";
export { failpointNow } from "./failpoint.ts";
export { createLogger } from "./logger.ts";
export { sleep } from "./sleep.ts";
