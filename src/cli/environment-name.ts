import { LarderError } from "../contract/bare.ts";
import { type EnvironmentName, environmentNameSchema } from "../contract/for-hosts.ts";

/** A parser for commander: E_INPUT that names the option or argument. */
export const environmentName =
  (where: string) =>
  (text: string): EnvironmentName => {
    const name = environmentNameSchema.safeParse(text);
    if (name.success) return name.data;
    throw new LarderError("E_INPUT", `${where} is ${JSON.stringify(text.slice(0, 100))}, which is no name for an environment.`, {
      hint: "Use 1 to 64 lower-case letters, digits and '-'.",
    });
  };
