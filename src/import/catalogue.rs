//! A shop's catalogue, row by row: `sku,name,price,currency,stock[,description,category]`, the
//! columns in any order.

use domain::item::{Category, Details, MAX_DESCRIPTION, MAX_NAME, MAX_SKU, text};
use domain::refusal::{Refusal, Rule};
use domain::use_cases::import_items::CatalogueRow;
use domain::{Currency, Money};

use super::reasons::{sentence, sentence_of_price};
use super::report::RefusedCell;
use super::table::{Table, Unreadable};

/// The columns that a catalogue must have.
const NEEDED: [&str; 5] = ["sku", "name", "price", "currency", "stock"];
/// The columns that it may have.
const OPTIONAL: [&str; 2] = ["description", "category"];

/// A catalogue being read.
pub struct Catalogue {
    table: Table,
    columns: Columns,
}

struct Columns {
    sku: usize,
    name: usize,
    price: usize,
    currency: usize,
    stock: usize,
    description: Option<usize>,
    category: Option<usize>,
}

/// A row that was read, and where.
pub enum Row {
    /// It is for the domain to check.
    Read { line: u64, row: CatalogueRow },
    /// It makes no sense; every cell that does not.
    Refused(Vec<RefusedCell>),
}

impl Catalogue {
    /// Finds the columns.
    ///
    /// # Errors
    /// One is missing or there twice; all of them are named.
    pub fn new(table: Table) -> Result<Self, Unreadable> {
        let columns = Columns::of(&table).map_err(|reason| Unreadable {
            after_line: None,
            reason,
        })?;
        Ok(Self { table, columns })
    }

    /// Columns that mean nothing here.
    pub fn ignored_columns(&self) -> Vec<String> {
        let known = |name: &str| {
            let mut names = NEEDED.iter().chain(&OPTIONAL);
            names.any(|known| known.eq_ignore_ascii_case(name))
        };
        let ignored = self.table.header().iter().filter(|name| !known(name));
        ignored.cloned().collect()
    }

    /// The next row that is not blank; nothing at the end.
    ///
    /// # Errors
    /// The file breaks off.
    pub fn next_row(&mut self) -> Result<Option<Row>, Unreadable> {
        while self.table.next_row()? {
            if (0..self.table.width()).all(|column| self.table.cell(column).is_empty()) {
                continue;
            }
            let line = self.table.line();
            return Ok(Some(match self.parse() {
                Ok(row) => Row::Read { line, row },
                Err(wrong) => Row::Refused(wrong.into_iter().map(|wrong| wrong.on(line)).collect()),
            }));
        }
        Ok(None)
    }

    fn parse(&self) -> Result<CatalogueRow, Vec<Wrong>> {
        let columns = &self.columns;
        let cell = |column: Option<usize>| {
            column.map_or_else(String::new, |column| self.table.cell(column))
        };
        let (width, expected) = (self.table.width(), self.table.header().len());
        if width != expected {
            let reason = format!("has {width} columns, the header has {expected}");
            return Err(vec![Wrong {
                column: None,
                reason,
            }]);
        }
        let mut wrong = Vec::new();
        let price = note(&mut wrong, self.price());
        let total = note(&mut wrong, self.total());
        let category = note(&mut wrong, parse_category(&cell(columns.category)));
        let texts = [
            ("sku", self.table.cell(columns.sku), 1, MAX_SKU),
            ("name", self.table.cell(columns.name), 1, MAX_NAME),
            ("description", cell(columns.description), 0, MAX_DESCRIPTION),
        ];
        if let (Some(price), Some(total), Some(category)) = (price, total, category) {
            let [sku, name, description] = texts.map(|(_, text, ..)| text);
            let details = Details {
                name,
                description,
                category,
                price,
            };
            return Ok(CatalogueRow {
                sku,
                details,
                total,
            });
        }
        // The domain will not see this row; the shop still wants to know all that is wrong with it.
        for (column, value, least, most) in texts {
            if let Err(reason) = text(&value, least, most) {
                wrong.push(Wrong::at(column, sentence(&reason)));
            }
        }
        Err(wrong)
    }

    fn price(&self) -> Result<Money, Wrong> {
        let code = self.table.cell(self.columns.currency).to_ascii_uppercase();
        let Some(currency) = Currency::from_code(&code) else {
            return Err(Wrong::at(
                "currency",
                quoted(&code, &sentence(&Rule::Currency.into())),
            ));
        };
        let text = self.table.cell(self.columns.price);
        Money::parse(&text, currency).map_err(|reason| {
            Wrong::at(
                "price",
                quoted(&text, &sentence_of_price(&reason, currency)),
            )
        })
    }

    fn total(&self) -> Result<i64, Wrong> {
        let text = self.table.cell(self.columns.stock);
        text.parse()
            .map_err(|_| Wrong::at("stock", quoted(&text, "is not a whole number")))
    }
}

/// What is wrong with a row.
pub struct Wrong {
    /// The cell's column; nothing when it is the row as a whole.
    column: Option<String>,
    reason: String,
}

impl Wrong {
    fn at(column: &str, reason: String) -> Self {
        Self {
            column: Some(column.to_owned()),
            reason,
        }
    }

    /// What the domain refused, by the column that the shop knows it under.
    pub fn of(refusal: &Refusal, row: &CatalogueRow) -> Self {
        let field = refusal.field.as_ref().and_then(|field| field.first());
        let column = field.map(|field| if field == "total" { "stock" } else { field });
        let reason = match column {
            Some("price") => sentence_of_price(&refusal.reason, row.details.price.currency),
            _ => sentence(&refusal.reason),
        };
        Self {
            column: column.map(ToOwned::to_owned),
            reason,
        }
    }

    pub fn on(self, line: u64) -> RefusedCell {
        RefusedCell {
            line,
            column: self.column,
            reason: self.reason,
        }
    }
}

impl Columns {
    fn of(table: &Table) -> Result<Self, String> {
        let header = table.header();
        let twice = NEEDED.iter().chain(&OPTIONAL).find(|name| {
            let same = header
                .iter()
                .filter(|column| column.eq_ignore_ascii_case(name));
            same.count() > 1
        });
        if let Some(name) = twice {
            return Err(format!("the column {name} is there twice"));
        }
        let missing: Vec<_> = NEEDED
            .iter()
            .filter(|name| table.column(name).is_none())
            .copied()
            .collect();
        let [
            Some(sku),
            Some(name),
            Some(price),
            Some(currency),
            Some(stock),
        ] = NEEDED.map(|name| table.column(name))
        else {
            return Err(format!(
                "the header has no {}; it needs {}, and may have {}",
                missing.join(", "),
                NEEDED.join(", "),
                OPTIONAL.join(", ")
            ));
        };
        let [description, category] = OPTIONAL.map(|name| table.column(name));
        Ok(Self {
            sku,
            name,
            price,
            currency,
            stock,
            description,
            category,
        })
    }
}

fn parse_category(text: &str) -> Result<Category, Wrong> {
    match text.to_ascii_uppercase().as_str() {
        "FASHION" => Ok(Category::Fashion),
        "BEAUTY" => Ok(Category::Beauty),
        "ETC" | "" => Ok(Category::Etc),
        _ => Err(Wrong::at(
            "category",
            quoted(text, "is none of FASHION, BEAUTY, ETC"),
        )),
    }
}

/// The start of a cell, and what is wrong with it.
pub fn quoted(text: &str, wrong: &str) -> String {
    const MOST: usize = 40;
    if text.is_empty() {
        return "must not be empty".to_owned();
    }
    let mut shown: String = text.chars().take(MOST).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?} {wrong}")
}

fn note<T>(wrong: &mut Vec<Wrong>, result: Result<T, Wrong>) -> Option<T> {
    result.map_err(|one| wrong.push(one)).ok()
}
