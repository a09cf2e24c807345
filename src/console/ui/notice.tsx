import type { ReactNode } from "react";
import { LarderError } from "../../contract/index.ts";
import { Icon } from "./icon.tsx";

export function Notice({ tone, children, role }: { tone?: "bad" | "warn" | "info"; children: ReactNode; role?: string }) {
  return (
    <div className={`notice ${tone ?? ""}`} role={role}>
      <Icon name={tone === "bad" || tone === "warn" ? "alert" : "info"} />
      <div className="grow break">{children}</div>
    </div>
  );
}

/** What went wrong, and the way out. */
export function ErrorNotice({ error, action }: { error: unknown; action?: ReactNode }) {
  const { code, message, hint } = error instanceof LarderError || isBody(error) ? error : LarderError.from(error);
  return (
    <Notice tone="bad" role="alert">
      <p>{message}</p>
      {hint && <p className="soft">{hint}</p>}
      <p className="code">{code}</p>
      {action && <div className="row">{action}</div>}
    </Notice>
  );
}

const isBody = (error: unknown): error is { code: string; message: string; hint?: string } =>
  typeof error === "object" && error !== null && !(error instanceof Error) && "code" in error && "message" in error;
