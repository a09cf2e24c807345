import { useCallback } from "react";
import { useLocation, useParams } from "wouter";
import { useEnvironment } from "../api/environment.ts";
import { pages } from "./pages.ts";

const isOwnDocument = (page: string | undefined): boolean => pages.some(({ path, ownDocument }) => path === page && ownDocument);

/** Whether going from the present page to that one loads a document. */
export function useLoadsDocument(): (page: string) => boolean {
  const { page: present } = useParams();
  return (page) => page !== present && (isOwnDocument(page) || isOwnDocument(present));
}

/** Opens a page of this environment, or of another: `packages?add`. */
export function useVisit(): (to: string, environment?: string) => void {
  const current = useEnvironment();
  const [, navigate] = useLocation();
  const loads = useLoadsDocument();
  return useCallback(
    (to, environment = current) => {
      const address = `/${environment}/${to}`;
      if (loads(to.split("?")[0] as string)) location.assign(address);
      else navigate(address);
    },
    [current, navigate, loads],
  );
}
