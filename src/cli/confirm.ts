import { LarderError } from "../contract/bare.ts";
import type { CommandContext } from "./command.ts";
import { plain } from "./render/text.ts";

/** Like `confirm`, for what cannot be undone: the person types the thing's name. */
export async function confirmByName(
  { settings, terminal }: CommandContext,
  { question, name }: { question: string; name: string },
): Promise<void> {
  if (settings.yes) return;
  assertTerminal(terminal, question);
  const answer = await terminal.ask(`${plain(question)}? Type ${plain(name)} to go ahead: `);
  if (answer.trim() === name) return;
  throw new LarderError("E_CANCELLED", "Nothing was changed.");
}

/** Returns when `--yes` was given or the person at the terminal agrees; throws otherwise. `question` without its question mark. */
export async function confirm({ settings, terminal }: CommandContext, question: string): Promise<void> {
  if (settings.yes) return;
  assertTerminal(terminal, question);
  const answer = await terminal.ask(`${plain(question)}? [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new LarderError("E_CANCELLED", "Nothing was changed.");
}

function assertTerminal({ inIsTTY, errIsTTY }: CommandContext["terminal"], question: string): void {
  if (inIsTTY && errIsTTY) return;
  throw new LarderError("E_INPUT", `${plain(question)}? There is no terminal to ask on.`, {
    hint: "Give --yes to go ahead without a question.",
  });
}
