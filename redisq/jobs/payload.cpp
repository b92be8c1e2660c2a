#include "payload.hpp"

#include <cmath>
#include <exception>
#include <set>
#include <vector>

namespace weir::redisq {

std::string_view format_name(payload_format format) noexcept {
    switch (format) {
        case payload_format::raw:
            return "raw";
        case payload_format::json:
            return "json";
        case payload_format::messagepack:
            return "messagepack";
    }
    return "unknown";
}

namespace detail {
namespace {

using nlohmann::json;

[[noreturn]] void refuse(const std::string& why) {
    throw job_exception(job_errc::bad_payload, "payload: " + why);
}

[[noreturn]] void refuse_depth() {
    refuse("nested deeper than " + std::to_string(payload_depth_max) + " levels");
}

// Builds nothing: only looks, so that depth and keys are judged before anything is made of them.
class payload_check final : public nlohmann::json_sax<json> {
  public:
    explicit payload_check(const char* format) : format_(format) {}

    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return open(); }
    bool start_array(std::size_t) override { return open(); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t& name) override {
        if (!keys_.back().insert(name).second) {
            refuse("a key stands twice in one object");
        }
        return true;
    }
    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::detail::exception&) override {
        refuse(std::string("not valid ") + format_ + " at byte " + std::to_string(position));
    }

  private:
    bool open() {
        if (keys_.size() >= payload_depth_max) {
            refuse_depth();
        }
        keys_.emplace_back();
        return true;
    }
    bool close() {
        keys_.pop_back();
        return true;
    }

    const char* format_;
    std::vector<std::set<std::string>> keys_;  // one set a level
};

// Of what is about to be written.
void check_value(const json& value, std::size_t depth) {
    if (value.is_number_float() && !std::isfinite(value.get<double>())) {
        refuse("a number that is not finite");
    }
    if (!value.is_structured()) {
        return;
    }
    if (depth >= payload_depth_max) {
        refuse_depth();
    }
    for (const json& each : value) {
        check_value(each, depth + 1);
    }
}

}  // namespace

void throw_bad_payload() {
    try {
        throw;
    } catch (const json::exception& problem) {
        // "[json.exception.type_error.302] type must be string, but is number"
        const std::string_view text = problem.what();
        const std::size_t end = text.find("] ");
        refuse(std::string(end == std::string_view::npos ? text : text.substr(end + 2)));
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const exception&) {
        throw;
    } catch (const std::exception& problem) {
        refuse(problem.what());
    } catch (...) {
        refuse("its type refuses it");
    }
}

void write_json_payload(std::string& out, const json& value) {
    check_value(value, 0);
    try {
        out += value.dump();
    } catch (const json::exception&) {
        refuse("text that is not UTF-8");
    }
}

void write_messagepack_payload(std::string& out, const json& value) {
    check_value(value, 0);
    json::to_msgpack(value, nlohmann::detail::output_adapter<char>(out));
}

json parse_json_payload(std::string_view bytes) {
    payload_check check("JSON");
    json::sax_parse(bytes.begin(), bytes.end(), &check);
    return json::parse(bytes.begin(), bytes.end());
}

}  // namespace detail
}  // namespace weir::redisq
