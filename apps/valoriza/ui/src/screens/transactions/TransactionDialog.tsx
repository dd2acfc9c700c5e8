import { useState } from 'react';
import * as finance from '../../api/finance';
import { explain } from '../../api/problem';
import type { NormalDraft, Transaction, TransferDraft } from '../../api/types';
import { useCatalogue } from '../../app/catalogue';
import { freshKey, useSubmissionKey } from '../../app/idempotency';
import { usePermissions } from '../../app/permissions';
import { invalidate } from '../../app/resource';
import { formatMoney } from '../../domain/money';
import { ConfirmDialog } from '../../ui/ConfirmDialog';
import { Dialog } from '../../ui/Dialog';
import { Icon } from '../../ui/Icon';
import { Link } from '../../ui/Link';
import { Empty, Skeleton } from '../../ui/states';
import { useToast } from '../../ui/toasts';
import { bodyOf, changeOf, draftOf, emptyDraft } from './draft';
import { TransactionForm } from './TransactionForm';
import { Why } from './Why';

type Props = { transaction: Transaction | null; onClose: () => void };

export function TransactionDialog({ transaction, onClose }: Props) {
  const { ready, accounts } = useCatalogue();
  const { write } = usePermissions();
  const [present, setPresent] = useState(transaction);
  const [deleting, setDeleting] = useState(false);
  const submission = useSubmissionKey();
  const say = useToast();

  const finish = (text: string) => {
    submission.done();
    invalidate();
    onClose();
    say(text);
  };
  const send = async (body: NormalDraft | TransferDraft) => {
    if (present) {
      await finance.transactions.change(present, changeOf(present, body));
      finish('Transação salva.');
    } else {
      await finance.transactions.add(body, submission.of(body));
      finish('Transação adicionada.');
    }
  };
  const reload = async () => {
    if (!present) return;
    try {
      setPresent(await finance.transactions.one(present.id));
    } catch (error) {
      onClose();
      say(explain(error), { tone: 'error' });
    }
    invalidate();
  };

  if (present && deleting) return <DeleteTransaction transaction={present} onClose={() => setDeleting(false)} onDeleted={onClose} />;

  const title = !present ? 'Nova transação' : !write ? 'Transação' : present.kind === 'transfer' ? 'Editar transferência' : 'Editar transação';
  return (
    <Dialog title={title} onClose={onClose}>
      {!ready ? (
        <Skeleton rows={4} />
      ) : accounts.every((it) => it.archived) && !present ? (
        <NoAccount onClose={onClose} />
      ) : (
        <TransactionForm
          // The version after a conflict starts the form over with what is there now.
          key={present?.version ?? 0}
          initial={present ? draftOf(present) : emptyDraft(accounts)} editing={present !== null} readOnly={!write}
          onSend={send} onReload={() => void reload()}
          actions={
            <>
              {present && (
                <button type="button" className="button button-quiet button-start" onClick={() => setDeleting(true)}>
                  <Icon name="trash" size={18} /> Excluir
                </button>
              )}
              <button type="button" className="button button-cancel" onClick={onClose}>
                Cancelar
              </button>
            </>
          }
        >
          {present && <Why transaction={present} onLeave={onClose} />}
        </TransactionForm>
      )}
    </Dialog>
  );
}

function DeleteTransaction({ transaction, onClose, onDeleted }: { transaction: Transaction; onClose: () => void; onDeleted: () => void }) {
  const say = useToast();
  const remove = async () => {
    await finance.transactions.remove(transaction);
    invalidate();
    onDeleted();
    say('Transação excluída.', { action: { label: 'Desfazer', run: () => void restore() } });
  };
  const restore = async () => {
    try {
      await finance.transactions.add(bodyOf(transaction), freshKey());
      say('Transação restaurada.');
    } catch (error) {
      say(explain(error), { tone: 'error' });
    }
    invalidate();
  };
  return (
    <ConfirmDialog title="Excluir transação?" action="Excluir" onConfirm={remove} onClose={onClose}>
      <p>
        <strong>{transaction.description}</strong>, {formatMoney(transaction.amount_cents, transaction.currency)}.
        {transaction.kind === 'transfer' && ' Os dois lados da transferência serão excluídos.'}
      </p>
    </ConfirmDialog>
  );
}

function NoAccount({ onClose }: { onClose: () => void }) {
  return (
    <Empty icon="wallet" title="Primeiro, uma conta">
      <p>Toda transação acontece em uma conta: corrente, cartão, dinheiro na carteira…</p>
      <Link href="/contas" className="button button-primary" onClick={onClose}>
        Criar conta
      </Link>
    </Empty>
  );
}
