import type { ServerContext } from "../context.ts";
import { api } from "./api.ts";
import { auditRoutes } from "./audit-routes.ts";
import { environmentRoutes } from "./environment-routes.ts";
import { generationRoutes } from "./generation-routes.ts";
import { hostRoutes } from "./host-routes.ts";
import { installRoutes } from "./install-routes.ts";
import { operationRoutes } from "./operation-routes.ts";
import { packageRoutes } from "./package-routes.ts";
import { planRoutes } from "./plan-routes.ts";
import { policyRoutes } from "./policy-routes.ts";
import { registryRoutes } from "./registry-routes.ts";
import { requestRoutes } from "./request-routes.ts";
import { revocationRoutes } from "./revocation-routes.ts";
import { secretRoutes } from "./secret-routes.ts";
import { sessionRoutes } from "./session-routes.ts";
import { signingKeyRoutes } from "./signing-key-routes.ts";
import { statusRoutes } from "./status-routes.ts";
import { storageRoutes } from "./storage-routes.ts";
import { tokenRoutes } from "./token-routes.ts";
import { waiverRoutes } from "./waiver-routes.ts";

/** Every route of the contract; one that is missing does not compile. */
export const createRouter = (context: ServerContext) =>
  api.router({
    audit: auditRoutes(context),
    status: statusRoutes(context),
    environments: environmentRoutes(context),
    packages: packageRoutes(context),
    requests: requestRoutes(context),
    installs: installRoutes(context),
    operations: operationRoutes(context),
    generations: generationRoutes(context),
    hosts: hostRoutes(context),
    session: sessionRoutes(context),
    plans: planRoutes(context),
    policy: policyRoutes(context),
    waivers: waiverRoutes(context),
    revocations: revocationRoutes(context),
    storage: storageRoutes(context),
    registries: registryRoutes(context),
    secrets: secretRoutes(context),
    signingKeys: signingKeyRoutes(context),
    tokens: tokenRoutes(context),
  });
