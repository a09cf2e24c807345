import { useQuery } from "@tanstack/react-query";
import { TextField } from "../../ui/field.tsx";
import { formatAge } from "../../ui/format.ts";
import { ErrorNotice } from "../../ui/notice.tsx";
import { versionsQuery } from "./versions.ts";

interface VersionChoiceProps {
  name: string;
  current: string;
  chosen: string;
  onChoose(version: string): void;
}

/** From what the registry has; typed, where it does not answer. */
export function VersionChoice({ name, current, chosen, onChoose }: VersionChoiceProps) {
  const query = useQuery(versionsQuery(name));
  const versions = query.data?.versions ?? [];
  return (
    <>
      <TextField
        label="Exact version"
        list="versions"
        autoFocus
        value={chosen}
        onChange={({ target }) => onChoose(target.value.trim())}
        onFocus={({ target }) => target.select()}
        hint={query.isPending ? "Asking the registry for versions …" : `Pinned now: ${current}`}
      />
      {query.isError && <ErrorNotice error={query.error} />}
      {versions.length > 0 && (
        <ul className="versions" aria-label="Versions">
          {versions.slice(0, listed).map(({ version, tags, publishedAt, deprecated }) => (
            <li key={version}>
              <button type="button" aria-pressed={version === chosen} onClick={() => onChoose(version)}>
                <span className="mono">{version}</span>
                <span className="soft truncate">
                  {[...tags, deprecated && "deprecated", version === current && "pinned now"].filter(Boolean).join(", ")}
                </span>
                <span className="faint num">{publishedAt && `${formatAge(publishedAt)} old`}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

const listed = 60;
