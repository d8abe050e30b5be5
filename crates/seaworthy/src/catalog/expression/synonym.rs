//! Conditions that say the same in other words: each is brought into one of them.

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator,
};

/// Returns an operation, whose operands are plain already, without the words that stand for others.
///
/// What is NULL in one form is NULL in the other (PostgreSQL's manual, "Comparison Functions and Operators" and "Row and
/// Array Comparisons"; SQLite's, "SQL Language Expressions").
pub(super) fn plainly(operation: Expr) -> Expr {
    match operation {
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => {
            let above = compare(expr.clone(), BinaryOperator::GtEq, low);
            let below = compare(expr, BinaryOperator::LtEq, high);
            let between = compare(nested(above), BinaryOperator::And, nested(below));
            denied_if(negated, between)
        }
        Expr::InList {
            expr,
            mut list,
            negated,
        } => {
            let is_in = match (list.pop(), list.is_empty()) {
                (Some(only), true) => compare(expr, BinaryOperator::Eq, Box::new(only)),
                (last, _) => {
                    list.extend(last);
                    Expr::InList {
                        expr,
                        list,
                        negated: false,
                    }
                }
            };
            denied_if(negated, is_in)
        }
        Expr::IsNotNull(expr) => denied_if(true, Expr::IsNull(expr)),
        Expr::Like {
            negated: true,
            any,
            expr,
            pattern,
            escape_char,
        } => {
            let like = Expr::Like {
                negated: false,
                any,
                expr,
                pattern,
                escape_char,
            };
            denied_if(true, like)
        }
        Expr::AllOp {
            left,
            compare_op: BinaryOperator::NotEq,
            right,
        } => {
            let any = Expr::AnyOp {
                left,
                compare_op: BinaryOperator::Eq,
                right,
                is_some: false,
            };
            denied_if(true, any)
        }
        Expr::Function(call) => match zone_and_moment(&call) {
            Some((time_zone, timestamp)) => Expr::AtTimeZone {
                timestamp: Box::new(timestamp.clone()),
                time_zone: Box::new(time_zone.clone()),
            },
            None => Expr::Function(call),
        },
        other => other,
    }
}

/// PostgreSQL prints `AT TIME ZONE` or the function behind it, whichever was written.
fn zone_and_moment(call: &Function) -> Option<(&Expr, &Expr)> {
    let FunctionArguments::List(arguments) = &call.args else {
        return None;
    };
    match arguments.args.as_slice() {
        [
            FunctionArg::Unnamed(FunctionArgExpr::Expr(zone)),
            FunctionArg::Unnamed(FunctionArgExpr::Expr(moment)),
        ] if call.name.to_string().eq_ignore_ascii_case("timezone") => Some((zone, moment)),
        _ => None,
    }
}

fn compare(left: Box<Expr>, op: BinaryOperator, right: Box<Expr>) -> Expr {
    Expr::BinaryOp { left, op, right }
}

fn denied_if(is_denied: bool, condition: Expr) -> Expr {
    if !is_denied {
        return condition;
    }
    Expr::UnaryOp {
        op: UnaryOperator::Not,
        expr: nested(condition),
    }
}

fn nested(operation: Expr) -> Box<Expr> {
    Box::new(Expr::Nested(Box::new(operation)))
}
