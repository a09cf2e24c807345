type Action = (name: string) => void | Promise<void>;
let action: Action | undefined;

/** A named step where tests inject a fault. Costs one comparison outside tests. */
export async function failpoint(name: string): Promise<void> {
  if (action !== undefined) await action(name);
}

/** The same in the middle of synchronous work: the fault must be one too. */
export function failpointNow(name: string): void {
  void action?.(name);
}

/** Tests only. `undefined` disarms. @internal */
export function armFailpoints(next: Action | undefined): void {
  action = next;
}

/**
 * `LARDER_FAILPOINT=name:kill` makes a real process die at that step, as `kill -9` would; `name:stop` makes it sleep there until SIGCONT; `@3` behind it means the
 * third time.
 */
const armed = /^(.+):(kill|stop)(?:@(\d+))?$/.exec(process.env.LARDER_FAILPOINT ?? "");
if (armed) {
  const [, target, fault, times = "1"] = armed;
  let left = Number(times);
  action = (name) => {
    if (name === target && --left === 0) process.kill(process.pid, fault === "kill" ? "SIGKILL" : "SIGSTOP");
  };
}
