import type { Host } from "../../../contract/index.ts";

interface HostChoiceProps {
  hosts: Host[];
  chosen: string | undefined;
  onChoose(id: string): void;
}

export const HostChoice = ({ hosts, chosen, onChoose }: HostChoiceProps) => (
  <select
    className="select host-choice"
    aria-label="Run on host"
    value={chosen ?? ""}
    onChange={({ target }) => onChoose(target.value)}
  >
    {hosts.length === 0 && <option value="">no hosts</option>}
    {hosts.map(({ id, phase, generation }) => (
      <option key={id} value={id}>
        {id} ({phase === "ready" ? `generation ${generation}` : phase})
      </option>
    ))}
  </select>
);
