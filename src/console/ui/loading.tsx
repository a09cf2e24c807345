import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "./button.tsx";
import { ErrorNotice } from "./notice.tsx";

const widths = ["62%", "48%", "70%", "40%", "56%", "66%"];

const Skeleton = () => (
  <div className="card card-body stack" role="status" aria-label="Loading">
    {widths.map((width) => (
      <div key={width} className="skeleton" style={{ width }} />
    ))}
  </div>
);

/** The data once it is there; until then its outline, or what went wrong. Data that is there stays on screen when a later look fails. */
export function Loaded<T>({
  query,
  children,
}: {
  query: Pick<UseQueryResult<T>, "data" | "isError" | "error" | "refetch">;
  children(data: T): ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.isError) {
    return (
      <ErrorNotice
        error={query.error}
        action={
          <Button small icon="refresh" onClick={() => void query.refetch()}>
            Try again
          </Button>
        }
      />
    );
  }
  return <Skeleton />;
}
