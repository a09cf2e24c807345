// The part of this room that needs no schema library: a worker thread that imports nothing else of it starts in 20 ms instead of 100.
// `archive`, and what the threads of `host` run, may use this door beside `index.ts`.

export { hasCode, LarderError } from "./larder-error.ts";
