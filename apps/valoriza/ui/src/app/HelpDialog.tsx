import { Dialog } from '../ui/Dialog';

const SHORTCUTS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [['n'], 'Nova transação'],
  [['/'], 'Buscar transações'],
  [['?'], 'Mostrar esta ajuda'],
  [['↑', '↓'], 'Percorrer as categorias ao escolher uma'],
  [['Enter'], 'Escolher a categoria, enviar o formulário'],
  [['A', 'Enter'], 'Na revisão: aceitar a sugestão'],
  [['C'], 'Na revisão: corrigir (ou comece a digitar a categoria)'],
  [['1', '2', '3'], 'Na revisão: escolher outra das prováveis'],
  [['J', 'K'], 'Na revisão: próxima, anterior'],
  [['S'], 'Na revisão: deixar para depois'],
  [['Z'], 'Na revisão: desfazer a última'],
  [['P'], 'Na revisão: aplicar aos parecidos'],
  [['Esc'], 'Fechar a lista ou a janela'],
];

export function HelpDialog({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Ajuda e atalhos" onClose={onClose} size="small">
      <div className="form">
        <dl className="shortcuts">
          {SHORTCUTS.map(([keys, what]) => (
            <div key={what}>
              <dt>{what}</dt>
              <dd>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dd>
            </div>
          ))}
        </dl>
        <p className="muted">
          Escreva valores como <strong>1.234,56</strong>. Transferências entre suas contas não contam como receita nem
          como despesa.
        </p>
      </div>
    </Dialog>
  );
}
