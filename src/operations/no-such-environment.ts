import { type EnvironmentName, LarderError } from "../contract/index.ts";

export const noSuchEnvironment = (name: EnvironmentName): LarderError =>
  new LarderError("E_NOT_FOUND", `There is no environment ${name}.`, {
    hint: "`larder environments list` shows those there are.",
    details: { environment: name },
  });
