import { z } from "zod";

export type EnvironmentName = string & { readonly __brand: "EnvironmentName" };
export const environmentNameSchema = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/, "1 to 64 lower-case letters, digits and '-'")
  .transform((name) => name as EnvironmentName);

/** 1, 2, … within one environment. */
export const generationNumberSchema = z.number().int().positive();

/** RFC 3339 in UTC, milliseconds: `2026-01-31T12:00:00.000Z`. */
export const timestampSchema = z.iso.datetime({ precision: 3 });

/** Host, operation and token ids: lower-case letters, digits, '-' and '_'; safe in a path, a file name and an address. */
export const idSchema = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, "1 to 64 lower-case letters, digits, '-' and '_'");
export type Id = string;
