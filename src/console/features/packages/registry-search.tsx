import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api } from "../../api/client.ts";
import { usePackages } from "../../api/queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { Notice } from "../../ui/notice.tsx";

const pauseMs = 200;

/** What the registries have for a text, the control plane asking them. Their words are text, never markup. */
export function Found({ text, onTake }: { text: string; onTake(name: string): void }) {
  const wanted = usePaused(text.trim());
  const known = new Set(usePackages().data?.packages.map(({ name }) => name as string));
  const query = useQuery({
    queryKey: ["search", wanted],
    queryFn: ({ signal }) => api.registries.search({ text: wanted, limit: 8 }, { signal }),
    enabled: wanted.length > 1,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    retry: false,
  });
  if (wanted.length < 2) return null;
  if (query.isError) return <Notice>The registries could not be searched: {query.error.message}</Notice>;
  const { results = [], registries = [] } = query.data ?? {};
  const failed = registries.filter(({ state }) => state === "failed");
  return (
    <div className="stack tight" aria-live="polite">
      {results.length > 0 && (
        <ul className="found" aria-label="Found in registries">
          {results.map(({ name, version, description, registry }) => (
            <li key={`${registry}/${name}`}>
              <button type="button" onClick={() => onTake(name)}>
                <span className="row">
                  <strong className="truncate">{name}</strong>
                  <span className="mono faint">{version}</span>
                  {known.has(name) && <Badge>on the list</Badge>}
                </span>
                {description && <span className="soft truncate">{description}</span>}
              </button>
            </li>
          ))}
        </ul>
      )}
      {results.length === 0 && query.isSuccess && (
        <p className="faint">
          {registries.some(({ state }) => state === "noSearch")
            ? "Nothing of exactly that name. This registry has no search: type a whole name."
            : "No registry knows a package of that name."}
        </p>
      )}
      {failed.map(({ name, message }) => (
        <p key={name} className="faint">
          {name} does not answer: {message}
        </p>
      ))}
    </div>
  );
}

function usePaused(text: string): string {
  const [paused, setPaused] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(text), pauseMs);
    return () => clearTimeout(timer);
  }, [text]);
  return paused;
}
