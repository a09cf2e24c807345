import { useState } from "react";
import type { Generation } from "../../../contract/index.ts";
import { useHostCounts } from "../../api/host-queries.ts";
import { Button } from "../../ui/button.tsx";
import { GenerationItem } from "./generation-item.tsx";
import { PromoteDialog } from "./promote-dialog.tsx";
import { RollbackDialog } from "./rollback-dialog.tsx";

const firstShown = 20;

export function GenerationList({ generations }: { generations: Generation[] }) {
  const groups = useHostCounts().data?.groups ?? [];
  const [open, setOpen] = useState<number>();
  const [rollback, setRollback] = useState<Generation>();
  const [promote, setPromote] = useState<Generation>();
  const [all, setAll] = useState(false);
  const current = generations.find((generation) => generation.current);
  const shown = all ? generations : generations.slice(0, firstShown);
  return (
    <section className="card" aria-labelledby="generations">
      <div className="card-head">
        <h2 id="generations">Generations</h2>
      </div>
      <ol>
        {shown.map((generation, index) => (
          <GenerationItem
            key={generation.number}
            generation={generation}
            before={generations[index + 1]}
            hosts={groups.reduce((sum, group) => sum + (group.generation === generation.number ? group.hosts : 0), 0)}
            open={open === generation.number}
            onToggle={() => setOpen((was) => (was === generation.number ? undefined : generation.number))}
            onRollback={() => setRollback(generation)}
            onPromote={() => setPromote(generation)}
          />
        ))}
      </ol>
      {shown.length < generations.length && (
        <div className="card-body">
          <Button onClick={() => setAll(true)}>Show all {generations.length}</Button>
        </div>
      )}
      {promote && <PromoteDialog generation={promote} onClose={() => setPromote(undefined)} />}
      {rollback && current && <RollbackDialog target={rollback} current={current} onClose={() => setRollback(undefined)} />}
    </section>
  );
}
