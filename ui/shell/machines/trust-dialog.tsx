import type { Certificate } from "@lineshaft/contract/api";
import { useState } from "react";
import { Button, Dialog } from "../../kit/index.ts";
import { fmt, t } from "../i18n.ts";
import { ProblemView } from "../problem.tsx";
import { useLoaded } from "../use.ts";
import { readCertificates, type Store, trustCertificate } from "./connectivity.ts";

/** In groups of four, as people read them aloud to one another. */
export const grouped = (thumbprint: string): string => thumbprint.replace(/(.{4})(?=.)/g, "$1 ");

/** A machine's certificate is trusted by a person who has compared it, and by nobody else. */
export function TrustDialog(props: {
  store: Store;
  /** A text that names the thumbprint in question. */
  named: string;
  onClose(trusted: boolean): void;
}) {
  const list = useLoaded("rejected certificates", (signal) => readCertificates(props.store, signal));
  const [compared, setCompared] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const rejected = list.data?.rejected ?? [];
  const found = rejected.find(({ thumbprint }) => props.named.includes(thumbprint)) ?? null;
  const trust = async (certificate: Certificate): Promise<void> => {
    setBusy(true);
    try {
      await trustCertificate(props.store, certificate.thumbprint);
      props.onClose(true);
    } catch (problem) {
      setError(problem);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t("trust.title")} closeLabel={t("close")} onClose={() => props.onClose(false)} wide>
      <p>{t("trust.what")}</p>
      {list.error !== null && <ProblemView error={list.error} />}
      {list.loading && <p className="quiet-wait">{t("wait.certificates")}</p>}
      {list.data !== null && found === null && <p className="attention">{t("trust.notThere")}</p>}
      {found !== null && (
        <>
          <CertificateFacts certificate={found} />
          <label className="trust-compared">
            <input type="checkbox" checked={compared} onChange={(event) => setCompared(event.target.checked)} />
            {t("trust.compared")}
          </label>
        </>
      )}
      {error !== null && <ProblemView error={error} />}
      <div className="form-buttons">
        <Button
          kind="main"
          disabled={!compared || busy || found === null}
          onClick={() => found !== null && void trust(found)}
        >
          {t("trust.trust")}
        </Button>
        <Button kind="quiet" onClick={() => props.onClose(false)}>
          {t("trust.not")}
        </Button>
      </div>
    </Dialog>
  );
}

export function CertificateFacts({ certificate }: { certificate: Certificate }) {
  const { subject, issuer, thumbprint, thumbprintSha1, applicationUri, validFromUs, validToUs, daysLeft } = certificate;
  return (
    <dl className="certificate">
      <dt>{t("certificate.subject")}</dt>
      <dd>{subject}</dd>
      <dt>{t("certificate.sha256")}</dt>
      <dd className="mono">{grouped(thumbprint)}</dd>
      <dt>{t("certificate.sha1")}</dt>
      <dd className="mono">{grouped(thumbprintSha1)}</dd>
      <dt>{t("certificate.issuer")}</dt>
      <dd>{issuer === subject ? t("certificate.selfSigned") : issuer}</dd>
      {applicationUri !== null && (
        <>
          <dt>{t("certificate.application")}</dt>
          <dd className="mono">{applicationUri}</dd>
        </>
      )}
      <dt>{t("certificate.valid")}</dt>
      <dd className={daysLeft < 30 ? "attention" : ""}>
        {t("certificate.range", { from: fmt.date(validFromUs), to: fmt.date(validToUs), n: daysLeft })}
      </dd>
    </dl>
  );
}
