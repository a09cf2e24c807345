import type { UseQueryResult } from "@tanstack/react-query";
import type { SpecifierTypes, TypesIndex } from "../../../contract/index.ts";
import { Badge } from "../../ui/badge.tsx";
import { ErrorNotice } from "../../ui/notice.tsx";
import { packageOf } from "./find-imports.ts";
import { RequestButton } from "./request-button.tsx";
import { statusText, tones } from "./status.ts";

interface ImportListProps {
  query: UseQueryResult<TypesIndex>;
  specifiers: string[];
}

/** Each import of the script: whether it is there, and what to do when it is not. */
export function ImportList({ query, specifiers }: ImportListProps) {
  if (specifiers.length === 0) return null;
  return (
    <section className="card" aria-label="Imports">
      <div className="card-head">
        <h2>Imports</h2>
      </div>
      {query.isError && (
        <div className="card-body">
          <ErrorNotice error={query.error} />
        </div>
      )}
      <ul aria-live="polite">
        {query.data?.specifiers.map((found) => (
          <Import key={found.specifier} found={found} />
        ))}
      </ul>
    </section>
  );
}

function Import({ found }: { found: SpecifierTypes }) {
  const { specifier, status, hint, package: source } = found;
  const name = packageOf(specifier);
  return (
    <li className="import">
      <div className="spread">
        <code className="truncate" title={specifier}>
          {specifier}
        </code>
        <Badge tone={tones[status]}>{statusText(status)}</Badge>
      </div>
      {status === "typed" && source && <p className="faint truncate">{source}</p>}
      {hint && <p className="soft">{hint}</p>}
      {status === "notAllowlisted" && name && <RequestButton name={name} />}
    </li>
  );
}
