import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { toast, toastError } from "./toast.tsx";

interface ChangeOptions<Input, Output> {
  /** What to look at again afterwards. */
  stale: readonly QueryKey[];
  /** Said when it is done. */
  done?(output: Output, input: Input): string;
  /** Who shows an error where it belongs needs no toast. */
  quiet?: boolean;
}

/** One change to the control plane's state. */
export function useChange<Input, Output>(change: (input: Input) => Promise<Output>, options: ChangeOptions<Input, Output>) {
  const queries = useQueryClient();
  return useMutation<Output, Error, Input>({
    mutationFn: change,
    onSuccess: async (output, input) => {
      if (options.done) toast(options.done(output, input));
      await Promise.all(options.stale.map((queryKey) => queries.invalidateQueries({ queryKey })));
    },
    onError: (error) => options.quiet || toastError(error),
  });
}
