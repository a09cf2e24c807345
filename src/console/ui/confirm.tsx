import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import { Dialog } from "./dialog.tsx";
import { ErrorNotice } from "./notice.tsx";

interface ConfirmProps {
  open: boolean;
  onClose(): void;
  title: string;
  /** What it would do. */
  children: ReactNode;
  action: string;
  danger?: boolean;
  busy: boolean;
  error?: unknown;
  disabled?: boolean;
  onConfirm(): void;
}

/** Says what would happen, and does it only then. */
export function Confirm({ open, onClose, title, children, action, danger, busy, error, disabled, onConfirm }: ConfirmProps) {
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look={danger ? "danger" : "primary"} busy={busy} disabled={disabled ?? false} onClick={onConfirm}>
            {action}
          </Button>
        </>
      }
    >
      {children}
      {error !== undefined && error !== null && <ErrorNotice error={error} />}
    </Dialog>
  );
}
