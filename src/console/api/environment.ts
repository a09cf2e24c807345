import { createContext, useContext } from "react";

/** The environment on screen: the first part of the address. */
export const EnvironmentContext = createContext("default");
export const useEnvironment = (): string => useContext(EnvironmentContext);

const rememberedAs = "larder.environment";

export function rememberedEnvironment(): string {
  try {
    return localStorage.getItem(rememberedAs) ?? "default";
  } catch {
    // A browser may forbid storage; then every visit starts at the default.
    return "default";
  }
}

export function rememberEnvironment(name: string): void {
  try {
    localStorage.setItem(rememberedAs, name);
  } catch {
    // As above.
  }
}
