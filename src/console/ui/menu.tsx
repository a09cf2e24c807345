import { Menu as Base } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";
import { Icon, type IconName } from "./icon.tsx";

export interface MenuEntry {
  label: ReactNode;
  icon?: IconName;
  danger?: boolean;
  disabled?: boolean;
  onSelect(): void;
}

/** Opens beneath `trigger`. `undefined` entries are left out, `"line"` separates. */
export function Menu({
  trigger,
  entries,
  label,
}: {
  trigger: ReactElement;
  entries: (MenuEntry | "line" | undefined)[];
  label?: string;
}) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="end" collisionPadding={8}>
          <Base.Popup className="menu">
            {label && <div className="menu-label">{label}</div>}
            {entries.map((entry, index) =>
              entry === undefined ? null : entry === "line" ? (
                // biome-ignore lint/suspicious/noArrayIndexKey: a menu's entries keep their places.
                <div key={index} className="menu-line" />
              ) : (
                <Base.Item
                  // biome-ignore lint/suspicious/noArrayIndexKey: as above.
                  key={index}
                  className={entry.danger ? "menu-item danger" : "menu-item"}
                  disabled={entry.disabled ?? false}
                  onClick={entry.onSelect}
                >
                  {entry.icon && <Icon name={entry.icon} />}
                  {entry.label}
                </Base.Item>
              ),
            )}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}
