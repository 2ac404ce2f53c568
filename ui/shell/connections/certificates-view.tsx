import type { Certificate, Connection } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, Dialog, EmptyState } from "../../kit/index.ts";
import { t } from "../i18n.ts";
import { distrustCertificate, readCertificates, type Store } from "../machines/connectivity.ts";
import { CertificateFacts, TrustDialog } from "../machines/trust-dialog.tsx";
import { isCode, ProblemView } from "../problem.tsx";
import { fault, note } from "../toasts.tsx";
import { useLoaded } from "../use.ts";

const againMs = 15_000;

/** Our own certificate, those that are trusted, and those that wait for a person. One store for all connections of a kind. */
export function CertificatesView({ connection }: { connection: Connection }) {
  const store: Store = { connection: connection.name };
  const list = useLoaded(`certificates ${connection.name}`, (signal) => readCertificates(store, signal), againMs);
  const [trusting, setTrusting] = useState<string | null>(null);
  const [distrusting, setDistrusting] = useState<Certificate | null>(null);
  if (list.error !== null && isCode(list.error, "not_found"))
    return (
      <EmptyState title={t("certificates.none")}>
        <p>{t("certificates.noneHint")}</p>
      </EmptyState>
    );
  if (list.error !== null) return <ProblemView error={list.error} />;
  if (list.data === null) return <p className="quiet-wait">{t("wait.certificates")}</p>;
  const { own, trusted, rejected } = list.data;
  const distrust = async (certificate: Certificate): Promise<void> => {
    setDistrusting(null);
    try {
      await distrustCertificate(store, certificate.thumbprint);
      note(t("certificates.distrusted", { name: certificate.subject }));
      list.reload();
    } catch (error) {
      fault(error, t("certificates.distrustFailed"));
    }
  };
  return (
    <section className="certificates" aria-label={t("connectionView.certificates")}>
      {rejected.length > 0 && (
        <Group title={t("certificates.rejected")} hint={t("certificates.rejectedHint")}>
          {rejected.map((one) => (
            <Row key={one.thumbprint} certificate={one}>
              <Button kind="main" onClick={() => setTrusting(one.thumbprint)}>
                {t("trust.look")}
              </Button>
            </Row>
          ))}
        </Group>
      )}
      <Group title={t("certificates.trusted")} hint={trusted.length === 0 ? t("certificates.noneTrusted") : ""}>
        {trusted.map((one) => (
          <Row key={one.thumbprint} certificate={one}>
            <Button onClick={() => setDistrusting(one)}>{t("certificates.distrust")}</Button>
          </Row>
        ))}
      </Group>
      <Group title={t("certificates.own")} hint={own === null ? t("certificates.ownLater") : t("certificates.ownHint")}>
        {own !== null && <Row certificate={own} />}
      </Group>
      {trusting !== null && (
        <TrustDialog
          store={store}
          named={trusting}
          onClose={() => {
            setTrusting(null);
            list.reload();
          }}
        />
      )}
      {distrusting !== null && (
        <Dialog title={t("certificates.distrust")} closeLabel={t("close")} onClose={() => setDistrusting(null)}>
          <p>{t("certificates.distrustWarning", { name: distrusting.subject })}</p>
          <div className="form-buttons">
            <Button kind="danger" onClick={() => void distrust(distrusting)}>
              {t("certificates.distrust")}
            </Button>
            <Button kind="quiet" onClick={() => setDistrusting(null)}>
              {t("cancel")}
            </Button>
          </div>
        </Dialog>
      )}
    </section>
  );
}

function Group(props: { title: string; hint: string; children: React.ReactNode }) {
  return (
    <section aria-label={props.title}>
      <h3>{props.title}</h3>
      {props.hint !== "" && <p className="soft">{props.hint}</p>}
      {props.children}
    </section>
  );
}

function Row({ certificate, children }: { certificate: Certificate; children?: React.ReactNode }) {
  return (
    <div className="certificate-row">
      <CertificateFacts certificate={certificate} />
      {children}
    </div>
  );
}
