// The part of this room that needs no schema library: whatever imports nothing else of it starts in 20 ms instead of 100.
// `archive`, what the threads of `host` run, and `cli` may use this door beside `index.ts`.

export { defaultEnvironment } from "./default-environment.ts";
export { exitCodeOf } from "./error-codes.ts";
export { hasCode, LarderError } from "./larder-error.ts";
