import { useId, useState } from "react";
import type { Host } from "../../../contract/index.ts";
import type { HostChoiceState } from "./use-host-choice.ts";

/** A few are chosen from a list; of more than fit in one, by a part of their names. */
export function HostChoice({ host, hosts, isMany, search, onSearch, onChoose }: HostChoiceState) {
  const list = useId();
  const [typing, setTyping] = useState(false);
  const type = (on: boolean) => {
    setTyping(on);
    onSearch("");
  };
  if (isMany) {
    return (
      <>
        <input
          className="input host-choice"
          aria-label="Run on host"
          list={list}
          placeholder={host?.id}
          value={typing ? search : (host?.id ?? "")}
          onFocus={() => type(true)}
          onBlur={() => type(false)}
          onChange={({ target }) => onSearch(target.value)}
        />
        <datalist id={list}>
          {hosts.slice(0, offered).map((each) => (
            <option key={each.id} value={each.id}>
              {conditionOf(each)}
            </option>
          ))}
        </datalist>
      </>
    );
  }
  return (
    <select
      className="select host-choice"
      aria-label="Run on host"
      value={host?.id ?? ""}
      onChange={({ target }) => onChoose(target.value)}
    >
      {hosts.length === 0 && <option value="">no hosts</option>}
      {hosts.map((each) => (
        <option key={each.id} value={each.id}>
          {each.id} ({conditionOf(each)})
        </option>
      ))}
    </select>
  );
}

const offered = 100;

const conditionOf = ({ phase, generation }: Host): string => (phase === "ready" ? `generation ${generation}` : phase);
