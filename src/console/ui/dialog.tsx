import { Dialog as Base } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";

export interface DialogProps {
  open: boolean;
  onClose(): void;
  title: ReactNode;
  description?: ReactNode;
  children: ReactNode;
  /** Buttons; the last one is what Enter in a form means. */
  footer?: ReactNode;
  /** `sheet` lies at the side, over the full height. */
  shape?: "wide" | "sheet";
}

/** In front of everything; Escape and a click outside close it, and focus returns to where it was. */
export function Dialog({ open, onClose, title, description, children, footer, shape }: DialogProps) {
  return (
    <Base.Root open={open} onOpenChange={(next) => next || onClose()}>
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Popup className={["dialog", shape].filter(Boolean).join(" ")}>
          <div className="dialog-head">
            <Base.Title className="break">{title}</Base.Title>
          </div>
          <div className="dialog-body">
            {description && <Base.Description className="soft">{description}</Base.Description>}
            {children}
          </div>
          {footer && <div className="dialog-foot">{footer}</div>}
          {/* Last, so that focus starts at what the dialog is about. */}
          <Base.Close className="dialog-close" render={<Button look="quiet" small icon="close" label="Close" />} />
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
