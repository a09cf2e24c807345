import { type ComponentType, lazy } from "react";
import type { Right } from "../api/session.ts";
import { PackagesPage } from "../features/packages/packages-page.tsx";
import type { IconName } from "../ui/icon.tsx";

// The page that most visits begin with comes along; the others when they are opened.
const AccessPage = lazy(() => import("../features/access/access-page.tsx").then((module) => ({ default: module.AccessPage })));
const HostsPage = lazy(() => import("../features/hosts/hosts-page.tsx").then((module) => ({ default: module.HostsPage })));
const InstallsPage = lazy(() =>
  import("../features/installs/installs-page.tsx").then((module) => ({ default: module.InstallsPage })),
);
const RegistryPage = lazy(() =>
  import("../features/registry/registry-page.tsx").then((module) => ({ default: module.RegistryPage })),
);
const ScriptsPage = lazy(() =>
  import("../features/scripts/scripts-page.tsx").then((module) => ({ default: module.ScriptsPage })),
);
const StoragePage = lazy(() =>
  import("../features/storage/storage-page.tsx").then((module) => ({ default: module.StoragePage })),
);

export interface PageEntry {
  path: string;
  title: string;
  /** On a narrow screen's bar. */
  short?: string;
  icon: IconName;
  /** After `g`. */
  key: string;
  Content: ComponentType;
  /** A document of its own: it is opened by loading it. */
  ownDocument?: boolean;
  /** Who may not do this is not offered it. */
  needs?: Right;
}

export const pages: PageEntry[] = [
  { path: "packages", title: "Packages", icon: "packages", key: "p", Content: PackagesPage },
  { path: "installs", title: "Installs", icon: "installs", key: "i", Content: InstallsPage },
  { path: "hosts", title: "Hosts", icon: "hosts", key: "h", Content: HostsPage },
  { path: "storage", title: "Storage", icon: "storage", key: "s", Content: StoragePage },
  {
    path: "registry",
    title: "Registry and policy",
    short: "Policy",
    icon: "registry",
    key: "r",
    Content: RegistryPage,
    needs: "look",
  },
  { path: "scripts", title: "Scripts", icon: "scripts", key: "c", Content: ScriptsPage, ownDocument: true },
  { path: "access", title: "Access", icon: "access", key: "a", Content: AccessPage, needs: "look" },
];
