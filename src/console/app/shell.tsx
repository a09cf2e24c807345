import { type ReactNode, useState } from "react";
import { useLiveness } from "../api/live.ts";
import { useSession } from "../api/session.ts";
import { Icon } from "../ui/icon.tsx";
import { Notice } from "../ui/notice.tsx";
import { Activity } from "./activity.tsx";
import { EnvironmentMenu } from "./environment-menu.tsx";
import { Mark } from "./mark.tsx";
import { Navigation } from "./navigation.tsx";
import type { PageEntry } from "./pages.ts";
import { Palette } from "./palette.tsx";
import { useHotkeys } from "./use-hotkeys.ts";
import { UserMenu } from "./user-menu.tsx";

const livenessTexts = { live: "Live", connecting: "Connecting …", offline: "Offline" };

export function Shell({ current, children }: { current: PageEntry | undefined; children: ReactNode }) {
  const liveness = useLiveness();
  const session = useSession();
  const [palette, setPalette] = useState(false);
  useHotkeys({ openPalette: () => setPalette(true) });
  const away = session.isError || liveness === "offline";
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <aside className="side">
        <div className="side-top">
          <Mark />
          <EnvironmentMenu page={current?.path ?? "packages"} />
        </div>
        <button type="button" className="find" onClick={() => setPalette(true)}>
          <Icon name="search" />
          <span className="grow">Find or do</span>
          <kbd>{isMac ? "⌘K" : "Ctrl K"}</kbd>
        </button>
        <Navigation current={current} />
        <div className="side-end">
          <p className={`liveness ${liveness}`} role="status">
            <span className="dot" aria-hidden="true" />
            {livenessTexts[liveness]}
          </p>
          <UserMenu />
        </div>
      </aside>
      <main id="content" tabIndex={-1}>
        {away && (
          <Notice tone="warn" role="status">
            The control plane is out of reach. What you see may be old; it is shown anew as soon as there is a connection.
          </Notice>
        )}
        <Activity />
        {children}
      </main>
      <Palette open={palette} onClose={() => setPalette(false)} />
    </div>
  );
}

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);
