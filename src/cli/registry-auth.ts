import { LarderError, type RegistryAuthInput } from "../contract/index.ts";
import type { CommandContext } from "./command.ts";

export const registrySecretVariable = "LARDER_REGISTRY_SECRET";

interface AuthOptions {
  auth?: "bearer" | "basic" | "none";
  username?: string;
}

/**
 * The credentials that `--auth` asks for; `undefined` keeps those there are. The secret comes from a variable, from standard input or from a question that shows nothing:
 * an argument would be in the list of processes and in the shell's history.
 */
export async function readRegistryAuth(
  context: CommandContext,
  { auth, username }: AuthOptions,
): Promise<RegistryAuthInput | undefined> {
  if (auth !== "basic" && username !== undefined)
    throw new LarderError("E_INPUT", "--username is of use with --auth basic only.");
  if (auth === undefined) return undefined;
  if (auth === "none") return { type: "none" };
  if (auth === "basic" && username === undefined) {
    throw new LarderError("E_INPUT", "--auth basic needs a user name.", { hint: "Give it with --username NAME." });
  }
  const secret = await readSecret(context, auth === "bearer" ? "Token" : `Password of ${username}`);
  if (secret === undefined) return undefined;
  return auth === "bearer"
    ? { type: "bearer", token: secret }
    : { type: "basic", username: username as string, password: secret };
}

async function readSecret({ terminal }: CommandContext, what: string): Promise<string | undefined> {
  const given = terminal.environment[registrySecretVariable];
  if (given !== undefined && given !== "") return given;
  if (terminal.inIsTTY) return (await terminal.askSecret(`${what} (not shown; blank keeps the one there is): `)) || undefined;
  const piped = (await terminal.readInput()).replace(/\r?\n$/, "");
  if (piped !== "") return piped;
  throw new LarderError("E_INPUT", `No secret came on standard input, and ${registrySecretVariable} is not set.`, {
    hint: "Pipe it in, for example from a password manager; --auth none clears the one there is.",
  });
}
