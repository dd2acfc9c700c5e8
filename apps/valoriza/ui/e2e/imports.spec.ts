import type { Locator, Page } from '@playwright/test';
import { expect, expectAccessible, go, newHousehold, test, unique } from './watched';

type Movement = { id: string; day: string; amount: string; memo: string };

/** A statement as banks write them: SGML, every tag on its own, few of them closed. */
function ofx(movements: readonly Movement[], account = '12345-6'): Buffer {
  const rows = movements.map(
    ({ id, day, amount, memo }) =>
      `<STMTTRN>\n<TRNTYPE>${amount.startsWith('-') ? 'DEBIT' : 'CREDIT'}\n<DTPOSTED>${day}120000[-3:BRT]\n<TRNAMT>${amount}\n<FITID>${id}\n<MEMO>${memo}\n</STMTTRN>`,
  );
  return Buffer.from(
    `OFXHEADER:100\nDATA:OFXSGML\nVERSION:102\nENCODING:UTF-8\nCHARSET:NONE\n\n<OFX>\n<BANKMSGSRSV1>\n<STMTTRNRS>\n<STMTRS>\n<CURDEF>BRL\n` +
      `<BANKACCTFROM>\n<BANKID>0260\n<ACCTID>${account}\n<ACCTTYPE>CHECKING\n</BANKACCTFROM>\n<BANKTRANLIST>\n<DTSTART>20261101\n<DTEND>20261120\n` +
      `${rows.join('\n')}\n</BANKTRANLIST>\n</STMTRS>\n</STMTTRNRS>\n</BANKMSGSRSV1>\n</OFX>\n`,
  );
}

function movements(prefix: string): Movement[] {
  return [
    { id: `${prefix}-1`, day: '20261103', amount: '-25.90', memo: `${prefix} mercado` },
    { id: `${prefix}-2`, day: '20261104', amount: '-12.00', memo: `${prefix} padaria` },
    { id: `${prefix}-3`, day: '20261105', amount: '1500.00', memo: `${prefix} salario` },
  ];
}

async function send(page: Page, name: string, buffer: Buffer): Promise<void> {
  await go(page, 'Importar');
  await page.getByLabel('Escolher arquivos').setInputFiles({ name, mimeType: 'application/octet-stream', buffer });
  await expect(page.getByRole('heading', { name, level: 2 })).toBeVisible();
}

function row(page: Page, text: string): Locator {
  return page.getByRole('region', { name: 'Transações do arquivo' }).getByRole('row').filter({ hasText: text });
}

/** Chooses the account unless the bank's is known already, and imports. */
async function confirm(page: Page): Promise<void> {
  await expect(page.getByText('Pronto para conferir').first()).toBeVisible();
  const account = page.getByRole('combobox', { name: 'Conta' });
  if ((await account.inputValue()) === '') await account.selectOption({ label: 'Carteira' });
  await page.getByRole('button', { name: 'Confirmar importação' }).click();
}

test('a statement is checked, imported, known when it comes again, and taken back', async ({ page }) => {
  await newHousehold(page);
  const prefix = unique('Extrato');
  await send(page, 'novembro.ofx', ofx(movements(prefix)));
  await expect(page.getByText('Pronto para conferir').first()).toBeVisible();
  await expect(row(page, `${prefix} mercado`)).toContainText('−R$\u00a025,90');
  await expect(row(page, `${prefix} salario`)).toContainText('Nova');
  await expect(row(page, `${prefix} padaria`).locator('.row-suggestion')).toContainText('Padaria');
  await expectAccessible(page);

  await row(page, `${prefix} padaria`).getByRole('checkbox').click();
  await expect(row(page, `${prefix} padaria`).getByRole('checkbox')).not.toBeChecked();
  // The account is chosen after the row, which makes the file be read again: the row stays left out.
  await page.getByRole('combobox', { name: 'Conta' }).selectOption({ label: 'Carteira' });
  await expect(page.getByRole('combobox', { name: 'Conta' }).locator('option:checked')).toHaveText('Carteira');
  await expect(row(page, `${prefix} padaria`).getByRole('checkbox')).not.toBeChecked();
  await confirm(page);
  await expect(page.getByRole('heading', { name: '2 transações importadas' })).toBeVisible();
  await expectAccessible(page);

  await page.getByRole('link', { name: 'Ver transações' }).click();
  await page.getByLabel('Buscar transações').fill(prefix);
  await expect(page.getByText('2 transações na lista')).toBeAttached();

  await send(page, 'novembro-de-novo.ofx', ofx(movements(prefix)));
  await expect(row(page, `${prefix} mercado`)).toContainText('Repetida');
  await expect(row(page, `${prefix} mercado`).getByRole('checkbox')).not.toBeChecked();
  await expect(row(page, `${prefix} padaria`)).toContainText('Nova');
  await page.getByRole('radio', { name: /^Repetidas/ }).check();
  await expect(row(page, prefix)).toHaveCount(2);
  await page.getByRole('button', { name: 'Descartar' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Descartar' }).click();
  await expect(page.getByText('novembro-de-novo.ofx')).toHaveCount(0);

  await page.getByRole('link', { name: 'novembro.ofx' }).click();
  await page.getByRole('button', { name: 'Desfazer importação' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Desfazer importação' }).click();
  await expect(page.getByRole('heading', { name: 'Importação desfeita' })).toBeVisible();
  await page.goto(`/transacoes?q=${encodeURIComponent(prefix)}`);
  await expect(page.getByRole('heading', { name: 'Nenhuma transação encontrada' })).toBeVisible();
});

test('a file that is no statement is refused with a reason and changes nothing', async ({ page }) => {
  await newHousehold(page);
  await send(page, 'foto.ofx', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 3, 0xff, 0xfe, 0, 0]));
  const refusal = page.getByRole('alert').filter({ hasText: 'Não foi possível ler este arquivo' });
  await expect(refusal).toContainText('Nada mudou nas suas contas.');
  await expectAccessible(page);

  const bomb = '<?xml version="1.0"?><!DOCTYPE o [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><?OFX OFXHEADER="200"?><OFX>&b;</OFX>';
  await send(page, 'bomba.ofx', Buffer.from(bomb));
  await expect(refusal).toBeVisible();

  await go(page, 'Importar');
  await page.getByLabel('Escolher arquivos').setInputFiles({ name: 'vazio.ofx', mimeType: 'application/octet-stream', buffer: Buffer.alloc(0) });
  await expect(page.getByRole('alert').filter({ hasText: 'O arquivo está vazio.' })).toBeVisible();
  await page.goto('/transacoes');
  await expect(page.getByRole('heading', { name: 'Nenhuma transação ainda' })).toBeVisible();
});

test('several files are sent together, each with its own outcome', async ({ page }) => {
  await newHousehold(page);
  await go(page, 'Importar');
  const file = (name: string, buffer: Buffer) => ({ name, mimeType: 'application/octet-stream', buffer });
  await page.getByLabel('Escolher arquivos').setInputFiles([file('bom.ofx', ofx(movements(unique('Bom')))), file('ruim.ofx', Buffer.from('nada aqui'))]);
  await expect(page.getByRole('listitem').filter({ hasText: 'bom.ofx' })).toContainText('Pronto para conferir');
  await expect(page.getByRole('listitem').filter({ hasText: 'ruim.ofx' })).toContainText('Não foi possível ler');
});

test('the columns of an unknown table are told once and shown at once', async ({ page }) => {
  await newHousehold(page);
  const prefix = unique('Tabela');
  const table = `Banco da Esquina\nQuando|Que coisa|Quanto\n2026.11.03|${prefix} feira|33,10\n2026.11.04|${prefix} luz|210,00\n`;
  await send(page, 'esquina.csv', Buffer.from(table));
  await expect(page.getByRole('heading', { name: 'O que há em cada coluna?' })).toBeVisible();
  await expectAccessible(page);
  await page.getByLabel('Data', { exact: true }).selectOption({ label: '1. Quando' });
  await page.getByLabel('Formato da data').selectOption({ label: '2026-12-31' });
  await page.getByLabel('Descrição').selectOption({ label: '2. Que coisa' });
  await page.getByLabel('Valor', { exact: true }).selectOption({ label: '3. Quanto' });
  const preview = page.getByRole('region', { name: 'Prévia das transações' });
  await expect(preview.getByRole('row', { name: new RegExp(`${prefix} feira`) })).toContainText('R$\u00a033,10');
  await page.getByLabel('Gastos estão como valores positivos').check();
  await expect(preview.getByRole('row', { name: new RegExp(`${prefix} luz`) })).toContainText('−R$\u00a0210,00');

  await page.getByRole('button', { name: 'Ler com estas colunas' }).click();
  await expect(row(page, `${prefix} luz`)).toContainText('−R$\u00a0210,00');
  await confirm(page);
  await expect(page.getByRole('heading', { name: '2 transações importadas' })).toBeVisible();
});

test('at 360 px a file is checked without scrolling sideways', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await newHousehold(page);
  await send(page, 'estreito.ofx', ofx(movements(unique('Descrição bem comprida de um estabelecimento qualquer'))));
  await expect(page.getByText('Pronto para conferir').first()).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
});
