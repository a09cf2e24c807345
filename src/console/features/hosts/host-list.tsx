import { type ReactNode, useMemo } from "react";
import { type HostChoice, useHostCounts, useHostPages } from "../../api/host-queries.ts";
import { Button } from "../../ui/button.tsx";
import { Empty } from "../../ui/empty.tsx";
import { count } from "../../ui/format.ts";
import { Loaded } from "../../ui/loading.tsx";
import { conditionOf } from "./condition.ts";
import { HostTable } from "./host-table.tsx";

interface HostListProps {
  choice: HostChoice;
  wanted: number;
  /** What the choice is made with, besides the fleet's numbers. */
  field: ReactNode;
  onAll(): void;
  onOpen(id: string): void;
}

/** The hosts of a choice, as many as were scrolled to; how many there are the server says. */
export function HostList({ choice, wanted, field, onAll, onOpen }: HostListProps) {
  const query = useHostPages(choice);
  const total = useHostCounts(choice).data?.total;
  const rows = useMemo(
    () => query.data?.pages.flatMap(({ items }) => items.map((host) => ({ host, condition: conditionOf(host) }))) ?? [],
    [query.data],
  );
  const { hasNextPage, isFetching, fetchNextPage } = query;
  const load = () => {
    if (!isFetching) void fetchNextPage();
  };
  return (
    <>
      <div className="row">
        {field}
        {Object.keys(choice).length > 0 && total !== undefined && (
          <span className="soft" role="status">
            {count(total, "host")}
          </span>
        )}
      </div>
      <Loaded query={query}>
        {() =>
          rows.length === 0 ? (
            <div className="card">
              <Empty icon="search" title="No host matches" actions={<Button onClick={onAll}>Show all</Button>} />
            </div>
          ) : (
            <HostTable rows={rows} more={hasNextPage ? { total, load } : undefined} wanted={wanted} onOpen={onOpen} />
          )
        }
      </Loaded>
    </>
  );
}
