import { Page } from "../../ui/page.tsx";
import "./access.css";
import { AuditLog } from "./audit-log.tsx";
import { Tokens } from "./tokens.tsx";

/** Who may do what, and who did. */
export const AccessPage = () => (
  <Page title="Access" summary="Who may do what, and who changed what.">
    <Tokens />
    <AuditLog />
  </Page>
);
