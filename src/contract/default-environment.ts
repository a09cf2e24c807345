import type { EnvironmentName } from "./ids.ts";

/** Exists from the start. */
export const defaultEnvironment = "default" as EnvironmentName;
