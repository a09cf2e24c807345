import { hostLabelsSchema, type Id, idSchema, LarderError } from "../contract/index.ts";

export const parseHostId =
  (name: string) =>
  (text: string): Id => {
    if (idSchema.safeParse(text).success) return text;
    throw new LarderError("E_INPUT", `${name} is ${JSON.stringify(text.slice(0, 100))}, not a host's name.`, {
      hint: "Use 1 to 64 lower-case letters, digits, '-' and '_', starting with a letter or digit.",
    });
  };

/** For a repeatable option: each `name=value` joins those before it. */
export const parseLabel =
  (name: string) =>
  (text: string, previous: Record<string, string> = {}): Record<string, string> => {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    const labels = { ...previous, ...(key === undefined || value === undefined ? {} : { [key]: value }) };
    if (key !== undefined && hostLabelsSchema.safeParse(labels).success) return labels;
    throw new LarderError("E_INPUT", `${name} is ${JSON.stringify(text.slice(0, 100))}, not NAME=VALUE.`, {
      hint: "Names are lower-case letters, digits, '.', '-' and '_', at most 20 of them.",
    });
  };
