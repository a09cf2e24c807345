import { z } from "zod";

/** A setting's schema from its parser, whose `Error` completes "NAME is …". */
export function parsedBy<T>(parse: (text: string) => T) {
  return z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: `is ${(error as Error).message}` });
      return z.NEVER;
    }
  });
}
