import { Toast as Base } from "@base-ui/react/toast";
import type { ReactNode } from "react";
import { LarderError } from "../../contract/index.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icon.tsx";

const manager = Base.createToastManager();

export const toast = (title: string, description?: string): void => void manager.add({ title, description, timeout: 4000 });

export function toastError(error: unknown): void {
  const { message, hint } = LarderError.from(error);
  manager.add({ title: message, description: hint, type: "bad", timeout: 10_000, priority: "high" });
}

export const Toasts = ({ children }: { children: ReactNode }) => (
  <Base.Provider toastManager={manager}>
    {children}
    <Base.Portal>
      <Base.Viewport className="toasts">
        <List />
      </Base.Viewport>
    </Base.Portal>
  </Base.Provider>
);

function List() {
  const { toasts } = Base.useToastManager();
  return toasts.map((item) => (
    <Base.Root key={item.id} toast={item} className="toast">
      <Icon name={item.type === "bad" ? "alert" : "check"} />
      <div className="grow break">
        <Base.Title className="toast-title" render={<p />} />
        <Base.Description className="soft" />
      </div>
      <Base.Close render={<Button look="quiet" small icon="close" label="Dismiss" />} />
    </Base.Root>
  ));
}
