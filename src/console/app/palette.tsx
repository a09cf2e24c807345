import { Dialog as Base } from "@base-ui/react/dialog";
import { Command } from "cmdk";
import { useDeferredValue, useState } from "react";
import { useHostPages } from "../api/host-queries.ts";
import { usePackages } from "../api/queries.ts";
import { useRights, useSignOut } from "../api/session.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { useInstall } from "../ui/use-install.ts";
import { pages } from "./pages.ts";
import "./palette.css";
import { setTheme } from "./theme.ts";
import { useVisit } from "./visit.ts";

/** Everything by its name: pages, packages, hosts, and what can be done. */
export function Palette({ open, onClose }: { open: boolean; onClose(): void }) {
  const [text, setText] = useState("");
  return (
    <Base.Root open={open} onOpenChange={(next) => next || onClose()}>
      <Base.Portal>
        <Base.Backdrop className="backdrop" />
        <Base.Popup className="dialog palette">
          <Base.Title className="hidden">Find or do</Base.Title>
          <Command label="Find or do" loop>
            <Command.Input
              value={text}
              onValueChange={setText}
              placeholder="Find a page, package or host, or something to do"
              autoFocus
            />
            <Command.List label="Matches">
              <Command.Empty>Nothing of that name.</Command.Empty>
              <Entries text={text} onClose={onClose} />
            </Command.List>
          </Command>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

function Entries({ text, onClose }: { text: string; onClose(): void }) {
  const visit = useVisit();
  const may = useRights();
  const mayAdminister = may("administer");
  const install = useInstall();
  const signOut = useSignOut();
  const packages = usePackages().data?.packages ?? [];
  // As one says `host edge-1`, too: that is how they are shown.
  const search = useDeferredValue(text.trim().replace(/^host\s+/i, ""));
  const hosts = useHostPages({ search: search.slice(0, 255) }, { limit: listedHosts }).data?.pages[0]?.items ?? [];
  const entry = (name: string, icon: IconName, act: () => void, key?: string) => (
    <Command.Item
      key={name}
      value={name}
      onSelect={() => {
        onClose();
        act();
      }}
    >
      <Icon name={icon} />
      <span className="grow truncate">{name}</span>
      {key && <kbd>{key}</kbd>}
    </Command.Item>
  );
  return (
    <>
      <Command.Group heading="Pages">
        {pages
          .filter(({ needs }) => needs === undefined || may(needs))
          .map(({ path, title, icon, key }) => entry(title, icon, () => visit(path), `g ${key}`))}
      </Command.Group>
      <Command.Group heading="Do">
        {may("operate") && entry("Add a package", "plus", () => visit("packages?add"))}
        {may("operate") && entry("Install now", "bolt", () => install.mutate(undefined))}
        {mayAdminister && entry("Enrol a host", "hosts", () => visit("hosts?enrol"))}
        {entry("Use the light theme", "sun", () => setTheme("light"))}
        {entry("Use the dark theme", "moon", () => setTheme("dark"))}
        {entry("Use the system's theme", "screen", () => setTheme("system"))}
        {entry("Sign out", "signOut", () => signOut.mutate())}
      </Command.Group>
      <Command.Group heading="Packages">
        {packages
          .slice(0, listed)
          .map(({ name }) => entry(name, "packages", () => visit(`packages?q=${encodeURIComponent(name)}`)))}
      </Command.Group>
      <Command.Group heading="Hosts">
        {hosts.map(({ id }) => entry(`host ${id}`, "hosts", () => visit(`hosts?q=${encodeURIComponent(id)}`)))}
      </Command.Group>
    </>
  );
}

/** All are in the page at once. */
const listed = 300;
const listedHosts = 50;
