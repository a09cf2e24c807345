import { LarderError } from "../contract/index.ts";
import type { CommandContext } from "./command.ts";
import { plain } from "./render/text.ts";

/** Returns when `--yes` was given or the person at the terminal agrees; throws otherwise. `question` without its question mark. */
export async function confirm({ settings, terminal }: CommandContext, question: string): Promise<void> {
  if (settings.yes) return;
  if (!terminal.inIsTTY || !terminal.errIsTTY) {
    throw new LarderError("E_INPUT", `${plain(question)}? There is no terminal to ask on.`, {
      hint: "Give --yes to go ahead without a question.",
    });
  }
  const answer = await terminal.ask(`${plain(question)}? [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new LarderError("E_CANCELLED", "Nothing was changed.");
}
