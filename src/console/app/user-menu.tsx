import { useState } from "react";
import { useSession, useSignOut } from "../api/session.ts";
import { Button } from "../ui/button.tsx";
import type { IconName } from "../ui/icon.tsx";
import { Menu } from "../ui/menu.tsx";
import { currentTheme, setTheme, type Theme, themes } from "./theme.ts";

const looks: Record<Theme, { icon: IconName; label: string }> = {
  system: { icon: "screen", label: "As the system" },
  light: { icon: "sun", label: "Light" },
  dark: { icon: "moon", label: "Dark" },
};

export function UserMenu() {
  const session = useSession().data;
  const signOut = useSignOut();
  const [theme, choose] = useState(currentTheme);
  const pick = (next: Theme) => {
    setTheme(next);
    choose(next);
  };
  return (
    <div className="user">
      <span className="grow user-name">
        <span className="truncate" title={session?.subject}>
          {session?.subject}
        </span>
        <span className="faint">{session?.role}</span>
      </span>
      <Menu
        label="Appearance"
        trigger={<Button look="quiet" small icon={looks[theme].icon} label="Appearance" />}
        entries={themes.map((each) => ({
          label: each === theme ? <strong>{looks[each].label}</strong> : looks[each].label,
          icon: looks[each].icon,
          onSelect: () => pick(each),
        }))}
      />
      <Button look="quiet" small icon="signOut" label="Sign out" onClick={() => signOut.mutate()} />
    </div>
  );
}
