// The part of this room that needs no logging library: see `contract/bare.ts`.

export { errnoOf } from "./errno.ts";
export { failpointNow } from "./failpoint.ts";
