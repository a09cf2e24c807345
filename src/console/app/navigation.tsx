import { Link } from "wouter";
import { useEnvironment } from "../api/environment.ts";
import { useHostCounts } from "../api/host-queries.ts";
import { usePackages } from "../api/queries.ts";
import { useRights } from "../api/session.ts";
import { formatNumber } from "../ui/format.ts";
import { Icon } from "../ui/icon.tsx";
import { type PageEntry, pages } from "./pages.ts";
import { useLoadsDocument } from "./visit.ts";

export function Navigation({ current }: { current: PageEntry | undefined }) {
  const may = useRights();
  const marks = useMarks();
  return (
    <nav aria-label="Pages">
      <ul className="nav">
        {pages
          .filter(({ needs }) => needs === undefined || may(needs))
          .map((page) => (
            <li key={page.path}>
              <NavLink page={page} isCurrent={page === current} mark={marks[page.path]} />
            </li>
          ))}
      </ul>
    </nav>
  );
}

interface Mark {
  text: string;
  title: string;
  tone: "none" | "bad" | "info";
}

function NavLink({ page, isCurrent, mark }: { page: PageEntry; isCurrent: boolean; mark: Mark | undefined }) {
  const address = `/${useEnvironment()}/${page.path}`;
  const loads = useLoadsDocument();
  const content = (
    <>
      <Icon name={page.icon} />
      <span className="grow truncate">
        <span className={page.short ? "wide-words" : undefined}>{page.title}</span>
        {page.short && <span className="narrow-only">{page.short}</span>}
      </span>
      {mark && (
        <span className={`nav-mark ${mark.tone}`} title={mark.title}>
          {mark.text}
          <span className="hidden">{mark.title}</span>
        </span>
      )}
    </>
  );
  const attributes = { className: "nav-link", "aria-current": isCurrent ? ("page" as const) : undefined };
  return loads(page.path) ? (
    <a href={address} {...attributes}>
      {content}
    </a>
  ) : (
    <Link href={address} {...attributes}>
      {content}
    </Link>
  );
}

/** What one wants to know of a page before one opens it. */
function useMarks(): Record<string, Mark | undefined> {
  const packages = usePackages().data;
  const hosts = useHostCounts().data;
  const failing = hosts?.groups.reduce((sum, group) => sum + (group.phase === "error" ? group.hosts : 0), 0) ?? 0;
  return {
    packages: packages && { text: formatNumber(packages.packages.length), title: "on the allowlist", tone: "none" },
    installs: packages?.installDue ? { text: "•", title: "an install is due", tone: "info" } : undefined,
    hosts:
      failing > 0
        ? { text: formatNumber(failing), title: "with an error", tone: "bad" }
        : hosts && { text: formatNumber(hosts.total), title: "enrolled", tone: "none" },
  };
}
