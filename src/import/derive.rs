//! A catalogue derived from an order book: what was sold, under the last name and at the last price
//! it was sold at, with as many units as the book sells.

use std::collections::HashMap;

use domain::Money;
use domain::item::{Category, Details};
use domain::use_cases::import_items::CatalogueRow;

use super::book_report::BookReport;
use super::order_book::{Meaning, OrderBook, Sale};
use super::table::Unreadable;

/// The most products of a book: what is summed up has to fit into memory.
const MOST_PRODUCTS: usize = 1_000_000;

/// What an order book says about its products.
pub struct Derived {
    /// In the order in which the products first sold, each with the line on which it did.
    pub rows: Vec<(u64, CatalogueRow)>,
    pub report: BookReport,
    /// Why not all of the book was read; nothing if it was. What is in it then sells less than the
    /// shop did.
    pub broken_off: Option<Unreadable>,
}

/// What is known of a product so far.
struct Product {
    code: String,
    first_line: u64,
    name: String,
    price: Money,
    units: i64,
}

/// Reads the whole book.
pub fn derive(mut book: OrderBook) -> Derived {
    let mut report = BookReport::default();
    let mut products: Vec<Product> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let broken_off = loop {
        let entry = match book.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => break None,
            Err(unreadable) => break Some(unreadable),
        };
        report.note(&entry);
        let Meaning::Sale(sale) = entry.meaning else {
            continue;
        };
        if let Some(place) = places.get(&entry.code) {
            products[*place].note(sale);
        } else if products.len() < MOST_PRODUCTS {
            places.insert(entry.code.clone(), products.len());
            products.push(Product::new(entry.code, entry.line, sale));
        } else {
            break Some(Unreadable {
                after_line: Some(entry.line),
                reason: format!("it has more than {MOST_PRODUCTS} products"),
            });
        }
    };
    let rows = products
        .into_iter()
        .map(|product| (product.first_line, product.row()));
    Derived {
        rows: rows.collect(),
        report,
        broken_off,
    }
}

impl Product {
    fn new(code: String, first_line: u64, sale: Sale) -> Self {
        Self {
            code,
            first_line,
            name: sale.description,
            price: sale.price,
            units: sale.quantity.get().into(),
        }
    }

    fn note(&mut self, sale: Sale) {
        if !sale.description.is_empty() {
            self.name = sale.description;
        }
        self.price = sale.price;
        self.units = self.units.saturating_add(sale.quantity.get().into());
    }

    fn row(self) -> CatalogueRow {
        let name = if self.name.is_empty() {
            self.code.clone()
        } else {
            self.name
        };
        CatalogueRow {
            sku: self.code,
            details: Details {
                name,
                description: String::new(),
                category: Category::Etc,
                price: self.price,
            },
            total: self.units,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::table::Table;
    use super::*;

    fn derived(lines: &[&str]) -> Derived {
        let header = "InvoiceNo,StockCode,Description,Quantity,UnitPrice,CustomerID,Country";
        let text = format!("{header}\n{}\n", lines.join("\n"));
        derive(OrderBook::new(Table::read(Cursor::new(text)).unwrap()).unwrap())
    }

    #[test]
    fn a_product_has_its_last_name_and_price_and_what_was_sold_of_it() {
        let Derived {
            rows,
            report,
            broken_off,
        } = derived(&[
            "1,22139,TEA SET,10,4.95,17,UK",
            "1,15056bl,PARASOL,2,5.95,17,UK",
            "2,22139,,5,4.25,,UK",
            "2,22139,TEA SET RETRO,5,4.15,,UK",
            "3,22139,amazon,30,0,,UK",
            "4,22139,damages,-7,0,,UK",
            "C5,22139,TEA SET,-10,4.95,17,UK",
            "6,15056BL,,1,6.95,,UK",
            "7,POST,POSTAGE,1,18,,UK",
            "8,47566,,1,4,,UK",
        ]);
        assert_eq!(broken_off, None);
        let found: Vec<_> = rows
            .iter()
            .map(|(line, row)| {
                let Details { name, price, .. } = &row.details;
                (
                    *line,
                    row.sku.as_str(),
                    name.as_str(),
                    price.to_decimal(),
                    row.total,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                (2, "22139", "TEA SET RETRO", "4.15".to_owned(), 20),
                (3, "15056BL", "PARASOL", "6.95".to_owned(), 3),
                (11, "47566", "47566", "4.00".to_owned(), 1),
            ]
        );
        let sold = report.sold;
        assert_eq!(
            (sold.lines, sold.units, report.products, report.invoices),
            (6, 24, 3, 4)
        );
        assert_eq!(
            (
                report.respelled,
                report.cancellations,
                report.left_out.len()
            ),
            (1, 1, 4)
        );
    }
}
