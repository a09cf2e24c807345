import { z } from "zod";
import { idSchema, timestampSchema } from "./ids.ts";
import { roles } from "./token.ts";

/** Who the caller is. */
export const sessionSchema = z.object({
  tokenId: idSchema,
  role: z.enum(roles),
  subject: z.string(),
  /** Of a signed-in session. Absent: the token itself came with the request. */
  expiresAt: timestampSchema.optional(),
});
export type Session = z.infer<typeof sessionSchema>;
