import { useEnvironment } from "../../api/environment.ts";
import { Page } from "../../ui/page.tsx";
import { Policy } from "./policy.tsx";
import { Registries } from "./registries.tsx";
import "./registry.css";
import { Revocations } from "./revocations.tsx";
import { Waivers } from "./waivers.tsx";

/** Where packages come from, and what may come in. */
export function RegistryPage() {
  const environment = useEnvironment();
  return (
    <Page
      title="Registry and policy"
      summary={`Registries and blocked versions are for all environments, policy and waivers for ${environment}.`}
    >
      <Registries />
      <Policy />
      <Waivers />
      <Revocations />
    </Page>
  );
}
