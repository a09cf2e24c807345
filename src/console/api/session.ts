import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { hasCode, type Role } from "../../contract/index.ts";
import { api } from "./client.ts";
import { keys } from "./queries.ts";

/** Who this browser is signed in as; `null` when nobody is. */
export const sessionQuery = queryOptions({
  queryKey: keys.session,
  async queryFn({ signal }) {
    try {
      return await api.session.get(undefined, { signal });
    } catch (error) {
      if (hasCode(error, "E_UNAUTHENTICATED")) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

export const useSession = () => useQuery(sessionQuery);

/** look: everything, the audit log included · operate: packages, installs, generations · administer: hosts, storage, who may do what · run: scripts. */
export type Right = "look" | "operate" | "administer" | "run";
const rightsOf: Partial<Record<Role, Right[]>> = {
  admin: ["look", "operate", "administer", "run"],
  operator: ["look", "operate", "run"],
  viewer: ["look"],
  author: ["run"],
};

/** Whether to offer something; the control plane decides for itself. */
export function useRights(): (right: Right) => boolean {
  const role = useSession().data?.role;
  return (right) => role !== undefined && rightsOf[role]?.includes(right) === true;
}

export const useMay = (right: Right): boolean => useRights()(right);

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => api.session.create({ token }),
    onSuccess: () => queries.resetQueries(),
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => api.session.end(),
    // Nothing that was read stays behind.
    onSettled: () => {
      queries.clear();
      location.assign("/");
    },
  });
}
